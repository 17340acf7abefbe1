// A lane: one port, queue and direction, with the ring its copies arrive in and the figures of what became of them.
#pragma once
#include <atomic>
#include <cstdint>

#include "base/counter.h"
#include "pdump/client.h"

namespace dpcap {

// Whether what comes through a lane's ring is still its own.
enum class LaneState {
  live,
  port_gone,   // another device, or none, is in the port's slot: what comes may be another port's
  queue_gone,  // the port has fewer queues now
  taken,       // the primary's counters began anew: somebody else has put a callback there
};

struct Lane {
  Lane(size_t index_, PdumpTarget target_, uint32_t interface_, rte_ring* ring_)
      : index(index_), target(std::move(target_)), interface(interface_), ring(ring_) {}

  const size_t index;
  const PdumpTarget target;
  const uint32_t interface;  // index into the file's interfaces
  rte_ring* const ring;

  // Changes once, from live, by whoever sees it first: the drain thread, which records nothing from then on, or the
  // thread that watches.
  std::atomic<LaneState> state{LaneState::live};
  bool is_live() const { return state.load(std::memory_order_relaxed) == LaneState::live; }
  void end(LaneState how) {
    LaneState live = LaneState::live;
    state.compare_exchange_strong(live, how);
  }

  // The primary sends all packets, as it could not load the filter. Set before packets flow.
  std::atomic<bool> is_filtered_here{false};

  // The primary's counters when the pool was opened. Written before the drain thread starts to find packets.
  PdumpCounters baseline;
  // The newest that were read: the primary may take its own away. One reader at a time.
  mutable PdumpCounters latest;

  // Written by the drain thread alone, read by any.
  Counter recorded;  // put into a block; minus what the writer lost: written
  Counter bytes;     // sum of caplen of recorded packets; minus what the writer lost of it
  Counter sinkdrop;  // refused because the sink had failed
  Counter surplus;   // drained after a limit was reached, or after the lane's end
  Counter filtered;  // not selected by the filter, where it runs here

  // Copies that were taken out of the ring and are accounted for.
  uint64_t drained() const { return recorded + sinkdrop + surplus + filtered; }

  // How many copies have come, by two looks between which the drain thread goes on, and this thread may have to wait
  // for a CPU. `between`: what tests do there.
  //
  // No more than have come: what moves from the ring to the figures meanwhile is missed.
  template <typename Between>
  uint64_t arrived_at_least(Between between) const {
    const uint64_t accounted = drained();
    std::atomic_thread_fence(std::memory_order_acquire);
    between();
    return accounted + rte_ring_count(ring);
  }
  // No fewer than have come, but for those on their way from one to the other: what moves meanwhile is counted twice.
  template <typename Between>
  uint64_t arrived_at_most(Between between) const {
    const uint64_t waiting = rte_ring_count(ring);
    std::atomic_thread_fence(std::memory_order_acquire);
    between();
    return waiting + drained();
  }

  // Packets taken from the ring and not yet given to the sink. Drain thread only.
  static constexpr uint32_t kPending = 512;
  rte_mbuf* pending[kPending];
  uint64_t arrival[kPending];  // TSC; while unresolved, the stamp as the primary wrote it
  uint32_t head = 0;
  uint32_t count = 0;
  uint32_t unresolved = 0;  // how many at the end of pending still need their arrival
  uint32_t waiting = 0;     // in the ring, at the last look
  uint32_t turns = 0;       // in which packets were given out since
  uint64_t empty_tsc = 0;   // when the ring was last seen empty
  bool more = false;        // it was not when it was last looked at
  uint64_t last_ns = 0;     // steady time of the last one that was given out
};

}  // namespace dpcap
