// A lane: one port, queue and direction, with the ring that its copies arrive in and the counters of what became of
// them. The drain thread and the threads that use Callbacks share it.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/counter.h"
#include "pdump/client.h"

namespace dpcap {

// Whether the copies that come through a lane's ring are still the lane's own.
enum class LaneState {
  live,
  port_gone,   // another device, or none, is in the port's slot: the copies may be another port's
  queue_gone,  // the port has fewer queues now
  taken,       // the primary's counters began anew: another tool has put a callback there
};

struct Lane {
  Lane(size_t index_, LaneId id_, uint32_t interface_, rte_ring* ring_)
      : index(index_), id(std::move(id_)), interface(interface_), ring(ring_) {}

  const size_t index;
  const LaneId id;
  const uint32_t interface;  // index into the file's interfaces
  rte_ring* const ring;

  // Changes once, from live. Whichever thread sees the reason first changes it: the drain thread, which records nothing
  // from then on, or the thread that watches.
  std::atomic<LaneState> state{LaneState::live};
  bool is_live() const { return state.load(std::memory_order_relaxed) == LaneState::live; }
  void end(LaneState how) {
    LaneState live = LaneState::live;
    state.compare_exchange_strong(live, how);
  }

  // The primary copies all packets, because it could not load the filter. Set before packets flow.
  std::atomic<bool> is_filtered_here{false};

  // The primary's counters when the mempool was opened. Written before the drain thread finds packets; nombuf just
  // after.
  PdumpCounters baseline;
  // The newest counters that were read, because the primary may take its own away. One reader at a time.
  mutable PdumpCounters latest;

  // Only the drain thread writes these counters; any thread may read them.
  Counter recorded;  // packets put into a block; all but those that the writer lost are written
  Counter bytes;     // sum of caplen of the recorded packets, including what the writer lost of it
  Counter sinkdrop;  // refused because the sink had failed
  Counter surplus;   // drained after a limit was reached, or after the lane's end
  Counter filtered;  // not selected by the filter, when that runs in this process

  // Copies that were taken out of the ring and are accounted for.
  uint64_t drained() const { return recorded + sinkdrop + surplus + filtered; }

  // The number of copies that have come, by three readings. The drain thread and the primary go on between them, and
  // this thread may have to wait for a CPU there. (rte_ring_count() reads both ends of the ring in an order of its own:
  // one that is emptied between them looks full.) `between` is what tests do at that point.
  //
  // At most as many as have come: copies that move from the ring to the counters meanwhile are missed.
  template <typename Between>
  uint64_t arrived_at_least(Between between) const {
    const uint64_t accounted = drained();
    std::atomic_thread_fence(std::memory_order_acquire);
    between();
    const uint32_t taken = __atomic_load_n(&ring->cons.tail, __ATOMIC_ACQUIRE);
    between();
    return accounted + (__atomic_load_n(&ring->prod.tail, __ATOMIC_ACQUIRE) - taken);
  }
  // At least as many as have come, except for copies on their way from the ring to the counters: those that move
  // meanwhile are counted twice.
  template <typename Between>
  uint64_t arrived_at_most(Between between) const {
    const uint32_t put = __atomic_load_n(&ring->prod.tail, __ATOMIC_ACQUIRE);
    between();
    const auto waiting = static_cast<int32_t>(put - __atomic_load_n(&ring->cons.tail, __ATOMIC_ACQUIRE));
    between();
    return static_cast<uint64_t>(std::max(waiting, 0)) + drained();
  }

  // Packets that were taken from the ring and not yet given to the sink. Drain thread only.
  static constexpr uint32_t kPending = 512;
  rte_mbuf* pending[kPending];
  uint64_t arrival[kPending];  // TSC; while unresolved, the stamp as the primary wrote it
  uint32_t head = 0;
  uint32_t count = 0;
  uint32_t unresolved = 0;  // how many packets at the end of pending still need their arrival
  uint32_t waiting = 0;     // copies in the ring at the last look
  uint32_t turns = 0;       // turns in which packets were given out since then
  uint64_t empty_tsc = 0;   // when the ring was last seen empty
  bool more = false;        // the ring was not empty when it was last looked at
  uint64_t last_ns = 0;     // steady time of the last packet that was given out
};

}  // namespace dpcap
