// The mempool in the primary's huge pages from which mbufs for copies are taken. Drain threads give the mbufs back.
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

// The mempool has fewer mbufs than any ring has slots, so a ring never fills: the primary never puts a copy back, and
// so never enqueues to the mempool's own ring. It is therefore harmless when this process is killed in the middle of
// its own enqueue (dpdk-pdump.md 2.4), and a dead capture is cheap: the mempool runs dry and copies fail early.
//
// DPDK knows only the mempool's header. The ring and the mbufs of the mempool lie in dpcap's own pieces (SharedPieces),
// which are taken one by one and whose names tell the owner, so no pointers have to be followed after a process has
// died.
class CaptureMempool {
 public:
  struct Size {
    uint32_t mbufs;      // 2^n - 1; serves every ordinary load
    uint32_t most;       // 2^n - 1; the mempool may grow to it
    uint32_t data_room;  // bytes of an mbuf, headroom included
  };

  // Makes a mempool without mbufs. `name` is the name of the owner record. `wants_more` is called once each time that
  // grow() should be called. Throws as SharedPieces::take_piece().
  CaptureMempool(const std::string& name, const Size& size, SharedPieces& pieces, Notify wants_more = {});
  CaptureMempool(const CaptureMempool&) = delete;
  CaptureMempool& operator=(const CaptureMempool&) = delete;

  static constexpr uint32_t kMinMbufs = 1023;

  rte_mempool* get() const { return pool_; }
  // The number of mbufs: mbufs() now, planned() when complete, most() at most.
  uint32_t mbufs() const { return mbufs_; }
  uint32_t made() const { return static_cast<uint32_t>(mbufs_ + fresh_.size()); }  // those not in use yet included
  uint32_t planned() const { return planned_; }
  uint32_t most() const { return most_; }

  // Adds the mbufs of `pieces` more pieces, but no more than `up_to` in all. Returns false when it has as many. Call it
  // on a thread that may wait for the primary. Throws as SharedPieces::take_piece(); existing mbufs stay in use.
  bool grow(uint32_t pieces, uint32_t up_to);
  // Lets the primary take mbufs: from here on, packets are captured.
  void open();
  // Mbufs that hold no copy at this moment (without those in lcore caches).
  uint32_t available() const { return in_ring() + kept_; }
  // Gives mbufs (segments) back to the mempool, as soon as their bulk is complete.
  void give_back(rte_mbuf* const* segments, uint32_t count);
  // From now on, lets no more than about as many mbufs circulate as `circle` says; the others are kept back.
  void circulate(const Circle& circle);
  // Gives out kept mbufs in place of those that the primary has taken. Call it often: before anything that takes long.
  void top_up();
  // True when more than half of the mbufs are in use, and the mempool may grow.
  bool is_short() const { return mbufs_ < most_ && available() < mbufs_ / 2; }
  // How often the primary may have found no mbuf. Any thread.
  uint32_t dried() const { return dried_.load(std::memory_order_relaxed); }
  // want_more() says that more mbufs are wanted; is_wanting() tells whether that was said since the last grow().
  void want_more();
  bool is_wanting() const { return wants_more_; }
  // Frees the header. The pieces belong to their owner. The primary must be known not to use the mempool any more.
  void free();

 private:
  void make_header();
  uint32_t add_piece(uint32_t up_to);
  void add_members();
  void enqueue(const MbufBulks::Bulk& bulk);
  uint32_t in_ring() const { return rte_mempool_get_ops(pool_->ops_index)->get_count(pool_); }
  void allow();
  void hand_out_kept();
  void note_dry();

  const std::string name_;
  SharedPieces& pieces_;
  const uint32_t planned_;
  const uint32_t most_;
  const uint32_t data_room_;
  const Notify on_wish_;
  rte_mempool* pool_ = nullptr;
  std::atomic<uint32_t> mbufs_{0};
  std::atomic<bool> wants_more_{false};
  std::atomic<uint32_t> dried_{0};
  std::atomic<bool> is_open_{false};
  std::vector<void*> fresh_;  // made mbufs that are not yet a bulk, or are held back until open()

  // Only one thread of this process gives mbufs back at a time. If two threads on one CPU enqueued to the mempool's
  // ring, one would spin until the other, which is not running, is done.
  std::mutex giving_back_;
  MbufBulks bulks_;
  std::atomic<uint32_t> kept_{0};  // mbufs that bulks_ keeps back
  uint32_t most_free_ = UINT32_MAX;
};

// Returns the mempool in this memzone, which a dead process has left; nullptr when that process did not get as far as
// making one.
rte_mempool* foreign_pool(const std::string& zone_name);
// Frees the header of the mempool in this memzone, which a dead process has left. The pieces are not touched.
void free_foreign_pool(const std::string& zone_name);

}  // namespace dpcap
