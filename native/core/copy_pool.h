// The mempool in the primary's huge pages that copies are taken from.
#pragma once
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <semaphore.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/circulation.h"
#include "core/portions.h"

namespace dpcap {

// It has fewer mbufs than any ring has slots, so a ring never fills: the primary never puts a copy back, and so never
// enqueues to the pool's own ring. That makes being killed in the middle of our own enqueue harmless (dpdk-pdump.md
// 2.4), and makes a dead capture cheap: the pool runs dry and copies fail early.
//
// A capture that was hard pressed gets more of them. Not from the start, because memory takes its time (the kernel
// clears it: 0.3 ms a MiB) and most captures never need it; and EAL holds locks of the primary meanwhile, which must
// not be held by a process that is killed.
class CopyPool {
 public:
  struct Size {
    uint32_t mbufs;      // 2^n - 1; there will be a few less, as they come in whole portions
    uint32_t most;       // that it may grow to, 2^n - 1
    uint32_t data_room;  // bytes of an mbuf, headroom included
  };

  // Creates the largest pool of at most `size.mbufs` that memory allows, not below kMinMbufs; one that had to be made
  // smaller does not grow. Every mbuf is held back: the primary finds the pool empty until open().
  CopyPool(const std::string& name, const Size& size);
  // Frees, so the primary must be known to be out of it.
  ~CopyPool();
  CopyPool(const CopyPool&) = delete;
  CopyPool& operator=(const CopyPool&) = delete;

  static constexpr uint32_t kMinMbufs = 1023;

  rte_mempool* get() const { return pool_; }
  // Now, and at any time.
  uint32_t mbufs() const { return mbufs_; }
  uint32_t most() const { return most_; }
  // Lets the primary take mbufs: from here on packets are captured.
  void open();
  // Mbufs that hold no copy at this moment (without those in lcore caches).
  uint32_t available() const { return in_ring() + kept_; }
  // Gives mbufs (segments) back, as soon as their portion is complete.
  void give_back(rte_mbuf* const* segments, uint32_t count);
  // Has no more than about this many go around from now on; the others are kept here.
  void circulate(const Circle& circle);
  // Has mbufs that are kept follow those that the primary has taken. Often: before anything that takes long.
  void top_up();
  // More than half of the mbufs are on their way, and there may be more of them.
  bool is_short() const { return !is_grown_.load(std::memory_order_relaxed) && available() < mbufs_ / 2; }
  // Has more mbufs come, unless they have or may not.
  void grow();
  void stop_growing();
  // Leaves all of it where it is.
  void abandon();

 private:
  void hold_back();
  void widen();
  void make_parts();
  bool make_part();
  bool has_room() const { return mbufs_ + part_mbufs_ <= most_; }
  void add_members(std::vector<void*> mbufs);
  void enqueue(const Portions::Portion& portion);
  uint32_t in_ring() const { return rte_mempool_get_ops(pool_->ops_index)->get_count(pool_); }
  void allow();
  void hand_out_kept();

  const std::string name_;
  uint32_t most_;
  const uint32_t data_room_;
  rte_mempool* pool_ = nullptr;
  std::atomic<uint32_t> mbufs_{0};
  std::vector<void*> held_;

  // One thread of ours at a time gives back. Of two on one CPU that enqueue to the pool's ring, each would spin until
  // the other, which is not running, is done.
  std::mutex giving_back_;
  std::optional<Portions> portions_;
  std::atomic<uint32_t> kept_{0};  // by them
  uint32_t most_free_ = UINT32_MAX;

  // Pools whose mbufs are made members of pool_, by a thread of its own.
  std::vector<rte_mempool*> parts_;
  uint32_t part_mbufs_ = 0;
  std::atomic<bool> is_grown_{false};  // or about to be, or may not grow
  std::atomic<bool> is_stopped_{false};
  sem_t wanted_;
  std::thread grower_;
};

// Frees a pool and its parts that a process which is gone has left; nothing if there is none.
void free_foreign_pool(const std::string& name);

}  // namespace dpcap
