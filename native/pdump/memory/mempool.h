// The mempool in the primary's huge pages that copies are taken from.
#pragma once
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "base/notify.h"
#include "pdump/memory/mbuf_bulks.h"
#include "pdump/memory/shared_pieces.h"
#include "pdump/memory/working_set.h"

namespace dpcap {

// It has fewer mbufs than any ring has slots, so a ring never fills: the primary never puts a copy back, and so never
// enqueues to the pool's own ring. That makes being killed in the middle of our own enqueue harmless (dpdk-pdump.md
// 2.4), and makes a dead capture cheap: the pool runs dry and copies fail early.
//
// DPDK knows the pool's header alone. Its ring and its mbufs lie in pieces of our own (SharedPieces), which come one by
// one, and whose owner can be told by their names: nothing has to be followed through pointers after a process that
// died.
class CaptureMempool {
 public:
  struct Size {
    uint32_t mbufs;      // 2^n - 1, with which it serves every ordinary load
    uint32_t most;       // that it may grow to, 2^n - 1
    uint32_t data_room;  // bytes of an mbuf, headroom included
  };

  // A pool without mbufs yet. `name`: of the owner record. `wants_more`: called once each time when grow() should be.
  // Throws as SharedPieces::take_piece().
  CaptureMempool(const std::string& name, const Size& size, SharedPieces& pieces, Notify wants_more = {});
  CaptureMempool(const CaptureMempool&) = delete;
  CaptureMempool& operator=(const CaptureMempool&) = delete;

  static constexpr uint32_t kMinMbufs = 1023;

  rte_mempool* get() const { return pool_; }
  // Now, once it is complete, and at any time.
  uint32_t mbufs() const { return mbufs_; }
  uint32_t made() const { return static_cast<uint32_t>(mbufs_ + fresh_.size()); }  // those not in use yet included
  uint32_t planned() const { return planned_; }
  uint32_t most() const { return most_; }

  // Adds the mbufs of `pieces` more pieces, but no more than `up_to` in all. False when it has as many. On a thread
  // that may wait for the primary. Throws as SharedPieces::take_piece(); what there is stays in use.
  bool grow(uint32_t pieces, uint32_t up_to);
  // Lets the primary take mbufs: from here on packets are captured.
  void open();
  // Mbufs that hold no copy at this moment (without those in lcore caches).
  uint32_t available() const { return in_ring() + kept_; }
  // Gives mbufs (segments) back, as soon as their bulk is complete.
  void give_back(rte_mbuf* const* segments, uint32_t count);
  // Has no more than about this many go around from now on; the others are kept here.
  void circulate(const Circle& circle);
  // Has mbufs that are kept follow those that the primary has taken. Often: before anything that takes long.
  void top_up();
  // More than half of the mbufs are on their way, and there may be more of them.
  bool is_short() const { return mbufs_ < most_ && available() < mbufs_ / 2; }
  // Says that more mbufs are wanted; whether somebody has said so since the last grow().
  void want_more();
  bool is_wanting() const { return wants_more_; }
  // Takes the header back. The pieces are their owner's; the primary must be known to be out of it.
  void free();

 private:
  void make_header();
  uint32_t add_piece(uint32_t up_to);
  void add_members();
  void enqueue(const MbufBulks::Bulk& bulk);
  uint32_t in_ring() const { return rte_mempool_get_ops(pool_->ops_index)->get_count(pool_); }
  void allow();
  void hand_out_kept();

  const std::string name_;
  SharedPieces& pieces_;
  const uint32_t planned_;
  const uint32_t most_;
  const uint32_t data_room_;
  const Notify on_wish_;
  rte_mempool* pool_ = nullptr;
  std::atomic<uint32_t> mbufs_{0};
  std::atomic<bool> wants_more_{false};
  std::atomic<bool> is_open_{false};
  std::vector<void*> fresh_;  // made, and not yet a bulk, or held back until open()

  // One thread of ours at a time gives back. Of two on one CPU that enqueue to the pool's ring, each would spin until
  // the other, which is not running, is done.
  std::mutex giving_back_;
  MbufBulks bulks_;
  std::atomic<uint32_t> kept_{0};  // by them
  uint32_t most_free_ = UINT32_MAX;
};

// The pool in this memory zone, which a process that is gone has left; nullptr when it did not get as far as to make
// one.
rte_mempool* foreign_pool(const std::string& zone_name);
// Frees the header of a pool that a process which is gone has left, given its memory zone's name; its pieces are not
// looked at.
void free_foreign_pool(const std::string& zone_name);

}  // namespace dpcap
