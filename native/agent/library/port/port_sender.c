#include "agent/library/port/port_sender.h"

#include "agent/library/dpdk.h"
#include "agent/library/port/port_facts.h"

static eth_tx_burst_t burst_now(const struct port_sender *sender) {
  return __atomic_load_n(&dpdk.fast_path[sender->port].tx_pkt_burst, __ATOMIC_RELAXED);
}

static void **queues_now(const struct port_sender *sender) {
  return __atomic_load_n(&dpdk.fast_path[sender->port].txq.data, __ATOMIC_RELAXED);
}

bool port_sender_begin(struct port_sender *sender, uint16_t port, uint16_t queue) {
  *sender = (struct port_sender){.port = port, .queue = queue};
  sender->queues = queues_now(sender);
  sender->callbacks = __atomic_load_n(&dpdk.fast_path[port].txq.clbk, __ATOMIC_RELAXED);
  sender->burst = burst_now(sender);
  if (!port_is_started(port) || sender->queues == NULL) return false;
  sender->driver_queue = sender->queues[queue];
  return sender->driver_queue != NULL && sender->callbacks != NULL && sender->burst != NULL;
}

bool port_sender_is_running(const struct port_sender *sender) {
  void *const *const queues = queues_now(sender);
  return queues == sender->queues && queues != NULL &&
         __atomic_load_n(&queues[sender->queue], __ATOMIC_RELAXED) == sender->driver_queue;
}

// What it is only for a moment is not taken over.
void port_sender_follow(struct port_sender *sender) {
  const eth_tx_burst_t now = burst_now(sender);
  if (now == sender->seen && now != NULL && port_sender_is_running(sender))
    __atomic_store_n(&sender->burst, now, __ATOMIC_RELAXED);
  sender->seen = now;
}

uint16_t port_sender_send(const struct port_sender *sender, struct rte_mbuf **packets, uint16_t count) {
  const eth_tx_burst_t burst = __atomic_load_n(&sender->burst, __ATOMIC_RELAXED);
  if (burst_now(sender) != burst || !port_sender_is_running(sender)) return 0;
  void *const callbacks = __atomic_load_n(&sender->callbacks[sender->queue], __ATOMIC_ACQUIRE);
  if (callbacks != NULL) count = dpdk.call_tx_callbacks(sender->port, sender->queue, packets, count, callbacks);
  return burst(sender->driver_queue, packets, count);
}
