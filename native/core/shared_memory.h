// Owners of what a capture allocates in the primary's shared memory: the mempool, the rings, the filter program.
//
// Every destructor frees, so it must only run when the primary can no longer touch the object: see Capture::finish.
// abandon() leaves the object where it is.
#pragma once
#include <rte_bpf.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/pdump.h"

namespace dpcap {

// The mempool that copies are taken from.
//
// It has fewer mbufs than any ring has slots, so a ring never fills: the primary never puts a copy back, and so never
// enqueues to the pool's own ring. That makes being killed in the middle of our own enqueue harmless (dpdk-pdump.md
// 2.4), and makes a dead capture cheap: the pool runs dry and copies fail early.
class CopyPool {
 public:
  // Creates the largest pool of at most `mbufs` (2^n - 1) that memory allows, not below kMinMbufs. Every mbuf is then
  // held back: the primary finds the pool empty until open().
  CopyPool(const std::string& name, uint32_t mbufs, uint32_t data_room);
  ~CopyPool();
  CopyPool(const CopyPool&) = delete;
  CopyPool& operator=(const CopyPool&) = delete;

  static constexpr uint32_t kMinMbufs = 1023;

  rte_mempool* get() const { return pool_; }
  uint32_t mbufs() const { return mbufs_; }
  // Lets the primary take mbufs: from here on packets are captured.
  void open();
  // Mbufs in the pool's ring at this moment (without lcore caches).
  uint32_t available() const { return rte_mempool_get_ops(pool_->ops_index)->get_count(pool_); }
  // Gives `count` mbufs (segments) back in one go.
  void give_back(rte_mbuf** segments, uint32_t count) {
    rte_mempool_ops_enqueue_bulk(pool_, reinterpret_cast<void**>(segments), count);
  }
  void abandon() { pool_ = nullptr; }

 private:
  rte_mempool* pool_ = nullptr;
  uint32_t mbufs_ = 0;
  std::vector<void*> held_;
};

// One rte_ring from one port, queue and direction to us.
class CopyRing {
 public:
  CopyRing() = default;
  CopyRing(const std::string& name, uint32_t slots);
  ~CopyRing();
  CopyRing(CopyRing&& other) noexcept : ring_(other.ring_) { other.ring_ = nullptr; }
  CopyRing(const CopyRing&) = delete;
  CopyRing& operator=(const CopyRing&) = delete;

  rte_ring* get() const { return ring_; }
  void abandon() { ring_ = nullptr; }

 private:
  rte_ring* ring_ = nullptr;
};

// The filter programs as pdump wants them, for received and for transmitted packets: one block with headers and
// instructions. The primary copies them on enable.
class SharedProgram {
 public:
  // Arrays of 8-byte ebpf_insn; both empty for match-all, for which get() is nullptr.
  SharedProgram(const std::vector<uint8_t>& rx, const std::vector<uint8_t>& tx);
  ~SharedProgram();
  SharedProgram(const SharedProgram&) = delete;
  SharedProgram& operator=(const SharedProgram&) = delete;

  // The block, which is also the program for received packets.
  rte_bpf_prm* get() const { return prm_; }
  rte_bpf_prm* get(Direction direction) const {
    return prm_ == nullptr || direction == Direction::rx ? prm_ : prm_ + 1;
  }
  void abandon() { prm_ = nullptr; }

 private:
  rte_bpf_prm* prm_ = nullptr;
};

}  // namespace dpcap
