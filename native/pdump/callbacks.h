// The callbacks that a capture has in the primary, one for each lane. Enables them, watches whether their ports and
// queues are still there, and has them removed. The owner record also holds the state of each, for a later recovery.
//
// Requests block: send them on a thread that may wait for the primary.
#pragma once
#include <atomic>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "pdump/client.h"
#include "pdump/memory/copy_ring.h"
#include "pdump/owner_record.h"
#include "pdump/pdump_lane.h"

namespace dpcap {

class Callbacks {
 public:
  // What the primary is to do with each packet of a lane.
  struct Order {
    CopyMode mode;
    uint32_t snaplen;  // a lane may have a shorter one: see LaneRule
    rte_mempool* pool;
    const std::vector<SharedProgram>* programs;  // see LaneRule
  };

  explicit Callbacks(std::deque<PdumpLane>& lanes) : lanes_(lanes) {}

  // Enables the callbacks in the order of the lanes. Throws when one cannot be enabled; those before it stay, and
  // disable() has to remove them.
  void enable(OwnerRecord& owner, const Order& order);
  // Stores the counters from which packets are counted. Call it once, when all callbacks are enabled and before the
  // mempool is opened.
  void take_baseline();
  // Leaves out the packets that found no mbuf until the mempool was open: they came before the capture began.
  void forget_nombuf();

  // Ends the lanes whose port or queue is gone, or which another tool has taken. Sends no request.
  void watch();
  // Removes the callbacks of ended lanes that can be reached again.
  void settle();
  // Tells whether there is something for settle() to do.
  bool can_settle() const;
  // Removes all callbacks, within 5 s or as long as the primary may take over an answer for each lane. Returns those
  // that may still be there, as text.
  std::vector<std::string> disable();
  // Any thread. Makes disable() send no more requests.
  void abandon() { is_abandoned_ = true; }
  // Returns the callbacks that may be there, as text.
  std::vector<std::string> unsettled() const;

  // Call it when the primary's memory is about to go. The counters stay as last seen, and nothing is read any more.
  void leave();

  // The primary's counters of a lane since the baseline.
  SourceCounters counters(const PdumpLane& lane) const;
  bool is_filtering_here() const;

 private:
  Reply request(PdumpLane& lane, const Order& order);
  const rte_bpf_prm* program_of(const PdumpLane& lane) const;
  bool is_refused(const rte_bpf_prm* program) const;
  bool is_taken(const PdumpLane& lane) const;
  void set_state(size_t lane, CallbackState state);
  void remove(size_t lane, int timeout_ms);
  Removal ask_to_remove(size_t lane, int timeout_ms) const;

  std::deque<PdumpLane>& lanes_;
  std::optional<SourceCounters> counters_now(const PdumpLane& lane) const;

  OwnerRecord* owner_ = nullptr;
  bool has_left_ = false;
  std::atomic<bool> is_abandoned_{false};
  Order order_{};
  std::vector<CallbackState> states_;
  std::vector<Removal> removals_;  // why a callback that was to be removed is not off
};

}  // namespace dpcap
