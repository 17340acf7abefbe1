// What pdump has for a lane: the ring that its copies arrive in, and the primary's counters. The drain thread and the
// threads that use Callbacks share it.
#pragma once
#include <rte_ring.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>

#include "pdump/client.h"
#include "record/lane.h"
#include "record/ledger.h"

namespace dpcap {

struct PdumpLane {
  Lane& lane;
  const Ledger::Account& account;
  rte_ring* const ring;

  // The primary copies all packets, because it could not load the filter. Set before packets flow.
  std::atomic<bool> is_filtered_here{false};

  // The primary's counters when the mempool was opened. Written before the drain thread finds packets; nombuf just
  // after.
  SourceCounters baseline{};
  // The newest counters that were read, because the primary may take its own away. One reader at a time.
  mutable SourceCounters latest{};

  // Returns how many packets the primary has lost in all for want of an mbuf; nothing when it cannot be asked. Set
  // before the drain thread begins; nullptr: nobody asks.
  using CountLost = std::optional<uint64_t> (*)(const LaneId&);
  CountLost count_lost = nullptr;
  std::atomic<bool> has_baseline{false};  // packets flow, and all of `baseline` is there

  PdumpLane(Lane& lane_, const Ledger::Account& account_, rte_ring* ring_)
      : lane(lane_), account(account_), ring(ring_) {}
  const LaneId& id() const { return lane.id; }
  size_t index() const { return lane.index; }

  // Packets that the primary has lost for want of an mbuf since packets flow, as far as it can be asked. Its counters
  // go with it, and read as less then.
  uint64_t lost() const {
    if (count_lost == nullptr || !has_baseline.load(std::memory_order_acquire)) return 0;
    const uint64_t now = count_lost(id()).value_or(0);
    return now - std::min(now, baseline.nombuf);
  }

  // The number of copies that have come, by three readings. The drain thread and the primary go on between them, and
  // this thread may have to wait for a CPU there. (rte_ring_count() reads both ends of the ring in an order of its own:
  // one that is emptied between them looks full.) `between` is what tests do at that point.
  //
  // At most as many as have come: copies that move from the ring to the counters meanwhile are missed. The drain thread
  // takes a copy out of the ring before it counts it, and Counter has this thread see both in that order.
  template <typename Between>
  uint64_t arrived_at_least(Between between) const {
    const uint64_t settled = account.settled();
    between();
    const uint32_t taken = __atomic_load_n(&ring->cons.tail, __ATOMIC_ACQUIRE);
    between();
    return settled + (__atomic_load_n(&ring->prod.tail, __ATOMIC_ACQUIRE) - taken);
  }
  // At least as many as have come, except for copies on their way from the ring to the counters: those that move
  // meanwhile are counted twice.
  template <typename Between>
  uint64_t arrived_at_most(Between between) const {
    const uint32_t put = __atomic_load_n(&ring->prod.tail, __ATOMIC_ACQUIRE);
    between();
    const auto waiting = static_cast<int32_t>(put - __atomic_load_n(&ring->cons.tail, __ATOMIC_ACQUIRE));
    between();
    return static_cast<uint64_t>(std::max(waiting, 0)) + account.settled();
  }
};

}  // namespace dpcap
