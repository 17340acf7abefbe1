// What mirrors need of DPDK, without DPDK: mempools of ordinary memory, and ports whose driver keeps what it is given.
#pragma once
extern "C" {
#include "agent/library/dpdk.h"
}

#include <rte_mempool.h>

#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace fake {

// A mempool: its mbufs and those that nobody has taken. The agent's thread makes it, others take and give.
struct Pool {
  explicit Pool(unsigned int count, uint16_t room) : mbufs(count), buffers(count, std::vector<uint8_t>(room)) {
    memset(static_cast<void*>(&mempool), 0, sizeof mempool);
    for (unsigned int i = 0; i < count; i++) {
      memset(static_cast<void*>(&mbufs[i]), 0, sizeof mbufs[i]);
      mbufs[i].buf_addr = buffers[i].data();
      mbufs[i].buf_len = room;
      mbufs[i].pool = &mempool;
      rte_mbuf_refcnt_set(&mbufs[i], 1);
      free.push_back(&mbufs[i]);
    }
  }
  struct rte_mempool mempool;
  std::vector<rte_mbuf> mbufs;
  std::vector<std::vector<uint8_t>> buffers;
  std::deque<void*> free;  // first in, first out, as a ring
};

inline std::mutex lock;
inline std::map<const rte_mempool*, std::unique_ptr<Pool>> pools;

inline int take(rte_mempool* mempool, void** out, unsigned int count) {
  const std::lock_guard<std::mutex> guard(lock);
  std::deque<void*>& free = pools.at(mempool)->free;
  if (free.size() < count) return -1;
  for (unsigned int i = 0; i < count; i++) {
    out[i] = free.front();
    free.pop_front();
  }
  return 0;
}

inline int give(rte_mempool* mempool, void* const* in, unsigned int count) {
  const std::lock_guard<std::mutex> guard(lock);
  std::deque<void*>& free = pools.at(mempool)->free;
  free.insert(free.end(), in, in + count);
  return 0;
}

inline rte_mempool* make_pool(const char*, unsigned int count, unsigned int, uint16_t, uint16_t room, int,
                              const char*) {
  const std::lock_guard<std::mutex> guard(lock);
  auto made = std::make_unique<Pool>(count, room);
  rte_mempool* const mempool = &made->mempool;
  pools[mempool] = std::move(made);
  return mempool;
}

inline void free_pool(rte_mempool* mempool) {
  const std::lock_guard<std::mutex> guard(lock);
  pools.erase(mempool);
}

inline unsigned int available(const rte_mempool* mempool) {
  const std::lock_guard<std::mutex> guard(lock);
  return static_cast<unsigned int>(pools.at(mempool)->free.size());
}

inline struct rte_mempool_ops_table ops;
inline struct rte_eth_fp_ops fast_path[RTE_MAX_ETHPORTS];
inline uint64_t offloads;  // of all ports
// Of each port: the arrays that ethdev has, and what the driver was given.
inline void* rx_queues[RTE_MAX_QUEUES_PER_PORT];
inline void* tx_queues[RTE_MAX_QUEUES_PER_PORT];
inline void* callbacks[RTE_MAX_QUEUES_PER_PORT];
inline uint16_t driver_room = 64;  // the driver takes so many of a burst
inline std::deque<rte_mbuf*> driver_has;
inline bool frees_at_once;
// Of the driver's queue; 0: there is no end to them, and it frees nothing by itself.
inline uint16_t descriptors;

// The driver has sent the first ones.
inline void complete(size_t count) {
  for (; count > 0 && !driver_has.empty(); count--) {
    void* const freed = driver_has.front();
    give(driver_has.front()->pool, &freed, 1);
    driver_has.pop_front();
  }
}

// The driver has sent everything.
inline void complete() { complete(driver_has.size()); }

// As ixgbe and i40e do it: nothing is freed before few descriptors are left, and then so many as those.
inline uint16_t room_of_ring() {
  constexpr size_t kFreeThreshold = 32;
  if (descriptors - driver_has.size() < kFreeThreshold) complete(kFreeThreshold);
  return static_cast<uint16_t>(descriptors - driver_has.size());
}

inline uint16_t transmit(void*, rte_mbuf** packets, uint16_t count) {
  const uint16_t room = descriptors == 0 ? driver_room : room_of_ring();
  const uint16_t taken = count < room ? count : room;
  for (uint16_t i = 0; i < taken; i++) {
    void* const one = packets[i];
    if (packets[i]->pool == nullptr)
      rte_mbuf_refcnt_update(packets[i], -1);  // the application's, by reference
    else if (frees_at_once)
      give(packets[i]->pool, &one, 1);
    else
      driver_has.push_back(packets[i]);
  }
  return taken;
}

inline void start_port(uint16_t port) {
  fast_path[port].rxq.data = rx_queues;
  fast_path[port].txq.data = tx_queues;
  fast_path[port].txq.clbk = callbacks;
  fast_path[port].tx_pkt_burst = transmit;
}

inline void stop_port(uint16_t port) { fast_path[port].rxq.data = fast_path[port].txq.data = rx_queues; }

inline void prepare() {
  static int queue;
  for (void*& one : tx_queues) one = &queue;
  ops.ops[0].dequeue = take;
  ops.ops[0].enqueue = give;
  dpdk.pool_ops = &ops;
  dpdk.fast_path = fast_path;
  dpdk.make_pool = make_pool;
  dpdk.free_pool = free_pool;
  dpdk.available = available;
  dpdk.call_tx_callbacks = [](uint16_t, uint16_t, rte_mbuf**, uint16_t count, void*) { return count; };
  dpdk.port_conf = [](uint16_t, rte_eth_conf* conf) {
    conf->txmode.offloads = offloads;
    return 0;
  };
  dpdk.tx_queue = [](uint16_t, uint16_t, rte_eth_txq_info* info) {
    info->nb_desc = descriptors;
    return 0;
  };
}

}  // namespace fake
