// The agent's mirrors: what a client asks of them, and when they end. Agent's thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/library/flow/flow_mirroring.h"
#include "agent/protocol.h"
#include "agent/wire/tunnel.h"

#define MIRRORING_MOST (2 * DPCAP_AGENT_MAX_MIRRORS)  // those that have ended are told of for a while

// Whether this process can have mirrors: a primary with all functions of DPDK that they take.
bool mirroring_is_possible(void);
// Answers a message about mirrors, also about those in hardware (flow/flow_mirroring.h); ENOSYS to any other. The
// errors:
//   MIRROR_SET: EINVAL malformed; ENOSYS not possible in this process; ENODEV a port is not there as it was seen;
//   ERANGE
//     no such transmit queue; ENETDOWN the target is not started; EBUSY the application sends on that queue; EOPNOTSUPP
//     by reference, where a port's driver frees mbufs without a look at their references; EEXIST that id, or the same
//     packets to the same target, are mirrored already; EUSERS there are as many as can be; ENOMEM.
//   MIRROR_SET_TUNNEL: as MIRROR_SET; EMSGSIZE the port does not send packets of that size; EADDRINUSE another mirror
//     sends into that tunnel.
//   MIRROR_RENEW: EINVAL; ENOENT; EPERM it has another owner. One that has ended is told of, without an error.
//   MIRROR_CLEAR, MIRROR_END: EINVAL; ENOENT; EBUSY a thread of the application does not leave it: it ends when it
//   does.
void mirroring_handle(int fd, const struct dpcap_agent_header *asked, const void *body, size_t bytes);
// All mirrors, as telemetry tells of them.
struct mirroring_description {
  unsigned int mirror_count;
  unsigned int flow_count;
  struct dpcap_mirror_report mirrors[MIRRORING_MOST];
  struct dpcap_flow_status flows[FLOW_MIRRORING_MOST];  // those in hardware
};
// Describes all of them, without a question to a driver.
void mirroring_describe_all(struct mirroring_description *all);
// Whether mirrors take the time of day: the clock has to be renewed.
bool mirroring_needs_clock(void);
// Ends those whose time has come; ten times a second. Returns whether there is anything to look after.
bool mirroring_tick(void);
// Called in a child of the process: they are not its own.
void mirroring_leave(void);
