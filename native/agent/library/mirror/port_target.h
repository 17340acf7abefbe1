// A transmit queue of a port, for the copies of one or several mirrors. It has to be a queue on which the application
// does not send, which is watched before the first packet and all the time; only where the port's driver lets several
// threads send at once (RTE_ETH_TX_OFFLOAD_MT_LOCKFREE), and does not take it that all mbufs of a queue are of one pool
// (RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE), it may be any. Agent's thread, unless it says something else.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "agent/library/mirror/target.h"
#include "agent/mirror.h"

// Returns the queue, for one more mirror, in `target`. The first time it is watched for a moment, in which this thread
// waits. `is_alone`: also with MT_LOCKFREE it has to be a queue of the agent's alone. Returns 0 or an errno: ENODEV,
// ERANGE when there is no such queue, ENETDOWN when the port is not started, EBUSY when the application sends on it,
// ENOMEM, EUSERS when copies of earlier mirrors are still in too many queues.
int port_target_use(uint16_t port, uint16_t queue, bool is_alone, struct mirror_target **target);
// One mirror less. All threads have left it.
void port_target_leave(struct mirror_target *target);
// Its queue.
uint16_t port_target_queue(const struct mirror_target *target);
// Why no more can be sent: a dpcap_mirror_end, or 0.
uint32_t port_target_fault(const struct mirror_target *target);
// How many mirrors there are to this port.
unsigned int port_target_users(uint16_t port);
// Frees what no mirror uses any more, once all copies are back. Returns whether something remains.
bool port_targets_tick(void);
// Forgets all, in a child of the process.
void port_targets_forget(void);
