// A tunnel to a collector on another host, for the copies of one mirror: the outer headers in front of each, sent on a
// transmit queue of a port. Agent's thread.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "agent/library/mirror/target.h"
#include "agent/wire/tunnel.h"

// Makes the tunnel, out of this port, whose queue is `queue`. Returns 0 or an errno: EMSGSIZE when the port does not
// send packets of that size, EADDRINUSE when the same tunnel is another mirror's, ENODEV, ENOMEM, EUSERS.
int tunnel_target_begin(const struct dpcap_mirror_tunnel *order, uint16_t port, struct mirror_target *queue,
                        struct mirror_target **target);
// Looks at receive queues of the port that are new, for the next hop's MAC address.
void tunnel_target_watch(struct mirror_target *target);
// No thread sends into it any more. It is freed a little later, because threads may still look at it.
void tunnel_target_end(struct mirror_target *target);
// What it was made for, and the next hop's MAC address.
void tunnel_target_describe(const struct mirror_target *target, struct dpcap_mirror_tunnel *tunnel);
// Whether a tunnel sends the time of day along: the clock has to be renewed.
bool tunnel_targets_need_clock(void);
// Frees what no thread looks at any more. Returns whether something remains.
bool tunnel_targets_tick(void);
// Forgets all, in a child of the process.
void tunnel_targets_forget(void);
