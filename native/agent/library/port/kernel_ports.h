// The ports of the agent's own in the application, and how long each stays. Agent's thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "agent/protocol.h"

// Answers a message about them. Errors: EINVAL for one that is malformed, ENOSYS when this process cannot have such
// ports, EUSERS when it has as many as it can have; with a dpcap_kernel_port_refusal, what the kernel or DPDK says.
void kernel_ports_handle(int fd, const struct dpcap_agent_header *asked, const void *body, size_t bytes);
// Takes away those that no mirror goes to any more, and those that none ever went to. Returns whether some are left.
bool kernel_ports_tick(void);
// Forgets all, in a child of the process.
void kernel_ports_forget(void);
