// The callbacks that a capture has in the primary, one a lane: enables them, watches whether their ports and queues are
// still there, and has them removed. What is known of each is in the owner record as well, for whoever comes after us.
//
// Requests block: on a thread that may wait for the primary, one at a time.
#pragma once
#include <atomic>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "pdump/client.h"
#include "pdump/lane.h"
#include "pdump/owner_record.h"

namespace dpcap {

class Callbacks {
 public:
  // What the primary is to do with each packet of a lane.
  struct Order {
    CopyMode mode;
    uint32_t snaplen;
    rte_mempool* pool;
    const rte_bpf_prm* program_rx;  // nullptr matches all
    const rte_bpf_prm* program_tx;
  };

  explicit Callbacks(std::deque<Lane>& lanes) : lanes_(lanes) {}

  // In the order of the lanes. Throws when one cannot be enabled; those before it stay, and are disable()'s to remove.
  void enable(OwnerRecord& owner, const Order& order);
  // Takes the counters that packets are counted from. Once, when all are enabled and before the pool is opened.
  void take_baseline();
  // And what came for want of an mbuf until the pool was open came before the capture began.
  void forget_nombuf();

  // Ends the lanes whose port or queue is gone, or which somebody else has taken. No request.
  void watch();
  // Removes the callbacks of ended lanes as soon as they can be reached again.
  void settle();
  // Whether there is something for settle() to do.
  bool can_settle() const;
  // Removes all. Returns those that may still be there, as text. Within kDisableLimitMs.
  std::vector<std::string> disable();
  // Any thread: disable() asks no more.
  void abandon() { is_abandoned_ = true; }
  // Those that may be there, as text.
  std::vector<std::string> unsettled() const;

  // The primary's memory is about to go: the counters stay as they were last seen, and nothing is looked at any more.
  void leave();

  // The primary's counters of a lane since the baseline.
  PdumpCounters counters(const Lane& lane) const;
  bool is_filtering_here() const;

 private:
  Reply request(Lane& lane, const Order& order);
  bool is_refused(Direction direction) const;
  bool is_taken(const Lane& lane) const;
  void set_state(size_t lane, TargetState state);
  void remove(size_t lane, int timeout_ms);
  Removal ask_to_remove(size_t lane, int timeout_ms) const;

  std::deque<Lane>& lanes_;
  std::optional<PdumpCounters> counters_now(const Lane& lane) const;

  OwnerRecord* owner_ = nullptr;
  bool has_left_ = false;
  std::atomic<bool> is_abandoned_{false};
  Order order_{};
  std::vector<TargetState> states_;
  std::vector<Removal> removals_;  // why one that was asked to be off is not
};

}  // namespace dpcap
