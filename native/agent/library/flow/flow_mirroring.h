// The agent's mirrors in hardware: what a client asks of them, and when they end. Agent's thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "agent/protocol.h"
#include "agent/wire/flow.h"

#define FLOW_MIRRORING_MOST (2 * DPCAP_AGENT_MAX_MIRRORS)  // those that have ended are told of for a while

// Answers a message about mirrors in hardware, or about the loopback of transmitted packets; ENOSYS to any other. The
// errors:
//   FLOW_SET: EINVAL malformed; ENOSYS not possible in this process; ENODEV a port is not there as it was seen;
//   ENETDOWN
//     one is not started; EOPNOTSUPP its stopping would not be seen; EEXIST that id is used; EUSERS there are as many
//     as can be; ENOMEM. With a dpcap_flow_refusal behind it, any errno is the driver's.
//   FLOW_RENEW: EINVAL; ENOENT; EPERM it has another owner. One that has ended is told of, without an error.
//   FLOW_CLEAR: EINVAL; ENOENT; with a dpcap_flow_refusal, the driver does not take a rule away: it is tried again.
//   TX_LOOPBACK: EINVAL; ENOSYS; ENODEV; EOPNOTSUPP the port's driver has none; any other is the driver's.
void flow_mirroring_handle(int fd, const struct dpcap_agent_header *asked, const void *body, size_t bytes);
// Describes all of them, also those that have ended; returns how many, at most FLOW_MIRRORING_MOST. No driver is asked:
// only those that have ended may have counters.
unsigned int flow_mirroring_describe(struct dpcap_flow_status *all);
// Ends those whose time has come; ten times a second. Returns whether there is anything to look after.
bool flow_mirroring_tick(void);
// Called in a child of the process: they are not its own.
void flow_mirroring_leave(void);
