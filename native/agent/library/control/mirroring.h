// The agent's mirrors: what a client asks of them, and when they end. Agent's thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/mirror.h"
#include "agent/protocol.h"

// Whether this process can have mirrors: a primary with all functions of DPDK that they take.
bool mirroring_is_possible(void);
// Answers a message about mirrors, also about those in hardware (flow/flow_mirroring.h); ENOSYS to any other. The
// errors:
//   MIRROR_SET: EINVAL malformed; ENOSYS not possible in this process; ENODEV a port is not there as it was seen;
//   ERANGE no
//     such transmit queue; ENETDOWN the target is not started; EBUSY the application sends on that queue; EOPNOTSUPP by
//     reference, where a port's driver frees mbufs without a look at their references; EEXIST that id, or the same
//     packets to the same target, are mirrored already; EUSERS there are as many as can be; ENOMEM.
//   MIRROR_RENEW: EINVAL; ENOENT; EPERM it has another owner. One that has ended is told of, without an error.
//   MIRROR_CLEAR: EINVAL; ENOENT; EBUSY a thread of the application does not leave it: it ends when it does.
void mirroring_handle(int fd, const struct dpcap_agent_header *asked, const void *body, size_t bytes);
// Describes all of them, also those that have ended; returns how many, at most twice DPCAP_AGENT_MAX_MIRRORS.
unsigned int mirroring_describe(struct dpcap_mirror_status *mirrors);
// Ends those whose time has come; ten times a second. Returns whether there is anything to look after.
bool mirroring_tick(void);
// Called in a child of the process: they are not its own.
void mirroring_leave(void);
