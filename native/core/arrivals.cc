#include "core/arrivals.h"

#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include <algorithm>

#include "core/packet.h"

namespace dpcap {
namespace {

constexpr uint64_t kSettleUs = 50;
constexpr uint64_t kSettleHoldUs = 50000;
constexpr uint64_t kReorderUs = 50;
// Memory that another core wrote takes some 100 ns to come: this many packets are asked for ahead.
constexpr uint32_t kMbufsAhead = 24;
constexpr uint32_t kDataAhead = 12;

// The stamp, and the first bytes of the packet, of which the last ones of a small frame are in the next cache line.
void prefetch_data(const rte_mbuf* mbuf) {
  const auto* data = rte_pktmbuf_mtod(mbuf, const uint8_t*);
  rte_prefetch0(data);
  rte_prefetch0(data + RTE_CACHE_LINE_SIZE);
}

// Has the packets come into the cache, and notes when they were found, or their stamps if `found_at` is 0.
void fetch(rte_mbuf* const* mbufs, uint32_t count, uint64_t* arrival, uint64_t found_at) {
  for (uint32_t i = 0; i < std::min(count, kMbufsAhead); i++) rte_prefetch0(mbufs[i]);
  for (uint32_t i = 0; i < count; i++) {
    if (i + kMbufsAhead < count) rte_prefetch0(mbufs[i + kMbufsAhead]);
    prefetch_data(mbufs[i]);
    if (i >= kDataAhead) arrival[i - kDataAhead] = found_at == 0 ? stamp_of(mbufs[i - kDataAhead]) : found_at;
  }
  for (uint32_t i = count > kDataAhead ? count - kDataAhead : 0; i < count; i++) {
    arrival[i] = found_at == 0 ? stamp_of(mbufs[i]) : found_at;
  }
}

}  // namespace

Arrivals::Arrivals(std::vector<Lane*> lanes, CopyMode mode, bool is_timed, uint32_t burst, SharedStampClock& clock)
    : lanes_(std::move(lanes)),
      is_stamped_(mode == CopyMode::stamped),
      is_timed_(is_timed || lanes_.size() > 1),
      burst_(burst),
      wall_(rte_get_tsc_hz()),
      clock_(clock),
      stamps_(rte_get_tsc_hz()),
      settle_ticks_(wall_.ticks(kSettleUs)),
      reorder_ticks_(wall_.ticks(kReorderUs)) {}

void Arrivals::begin() {
  for (Lane* lane : lanes_) lane->empty_tsc = rte_get_tsc_cycles();
}

uint32_t Arrivals::refill() {
  now_ = rte_get_tsc_cycles();
  wall_.refresh(now_);
  uint32_t found = 0;
  for (Lane* lane : lanes_) found += refill(*lane, now_);
  return found;
}

uint32_t Arrivals::refill(Lane& lane, uint64_t now) {
  if (lane.head != 0) {
    std::copy(lane.pending + lane.head, lane.pending + lane.head + lane.count, lane.pending);
    std::copy(lane.arrival + lane.head, lane.arrival + lane.head + lane.count, lane.arrival);
    lane.head = 0;
  }
  const uint32_t room = std::min(burst_, Lane::kPending - lane.count);
  rte_mbuf** fresh = lane.pending + lane.count;
  const uint32_t found = rte_ring_sc_dequeue_burst(lane.ring, reinterpret_cast<void**>(fresh), room, nullptr);

  const uint64_t found_at = rte_get_tsc_cycles();  // `now` may be long past, and none of them was there yet

  const bool reads_stamps = is_stamped_ && is_timed_;
  if (found != 0) fetch(fresh, found, lane.arrival + lane.count, reads_stamps ? 0 : found_at);
  if (reads_stamps && found != 0) learn(lane, found, found_at);
  lane.count += found;
  lane.unresolved += reads_stamps ? found : 0;
  lane.more = found == room;
  if (!lane.more) lane.empty_tsc = now;
  return found;
}

// The first of the packets found bounds the clock from below, the last from above.
void Arrivals::learn(Lane& lane, uint32_t found, uint64_t now) {
  stamps_ = clock_.observe(lane.arrival[lane.count], lane.arrival[lane.count + found - 1], lane.empty_tsc, now);
}

// Turns stamps into arrival times. Only at the very start of a capture, while the primary's clock is not yet known to
// kSettleUs, are packets held back: for at most kSettleHoldUs.
void Arrivals::resolve(Lane& lane, bool last) {
  if (lane.unresolved == 0) return;
  if (!stamps_.is_settled(settle_ticks_) && !last) {
    if (held_since_ == 0) held_since_ = now_;
    if (now_ - held_since_ < wall_.ticks(kSettleHoldUs) && lane.count < Lane::kPending) return;
  }
  const uint64_t now = rte_get_tsc_cycles();
  for (uint32_t i = lane.head + lane.count - lane.unresolved; i < lane.head + lane.count; i++) {
    lane.arrival[i] = std::min(stamps_.arrival(lane.arrival[i]), now);
  }
  lane.unresolved = 0;
}

// Packets that arrived shortly before now wait: an earlier one may not be in its ring yet.
Run Arrivals::next(bool last) {
  Lane* first = nullptr;
  uint64_t horizon = last ? UINT64_MAX : now_ - reorder_ticks_;
  for (Lane* lane : lanes_) {
    resolve(*lane, last);
    if (lane->count == 0 && lane->more) return {*lane, nullptr, nullptr, 0};  // it may have an earlier one
    if (lane->count == lane->unresolved) continue;
    const uint64_t arrival = lane->arrival[lane->head];
    if (first == nullptr) {
      first = lane;
    } else if (arrival < first->arrival[first->head]) {
      horizon = std::min(horizon, first->arrival[first->head]);
      first = lane;
    } else {
      horizon = std::min(horizon, arrival);
    }
  }
  if (first == nullptr) return {*lanes_[0], nullptr, nullptr, 0};
  const uint32_t count = count_until(*first, horizon);
  if (is_timed_) to_wall_time(*first, count);
  return {*first, first->pending + first->head, first->arrival + first->head, count};
}

uint32_t Arrivals::count_until(Lane& lane, uint64_t horizon) const {
  const uint32_t resolved = lane.count - lane.unresolved;
  if (lanes_.size() == 1) return resolved;  // there is nothing to wait for
  uint32_t count = 0;
  while (count < resolved && lane.arrival[lane.head + count] <= horizon) count++;
  return count;
}

// Never decreasing within a queue.
void Arrivals::to_wall_time(Lane& lane, uint32_t count) {
  for (uint32_t i = lane.head; i < lane.head + count; i++) {
    lane.last_ns = std::max(lane.last_ns, wall_.to_ns(lane.arrival[i]));
    lane.arrival[i] = lane.last_ns;
  }
}

void Arrivals::taken(Lane& lane, uint32_t count) {
  lane.head += count;
  lane.count -= count;
}

uint64_t Arrivals::complete_ns() const {
  uint64_t complete = UINT64_MAX;
  for (const Lane* lane : lanes_) complete = std::min(complete, complete_ns(*lane));
  return complete;
}

// Times never decrease within a lane; one that was found empty has no packets but those on their way into its ring.
uint64_t Arrivals::complete_ns(const Lane& lane) const {
  if (lane.count != 0 || lane.more) return lane.last_ns;
  return std::max(lane.last_ns, wall_.to_ns(now_ - reorder_ticks_ - stamps_.uncertainty()));
}

bool Arrivals::is_empty() const {
  return std::all_of(lanes_.begin(), lanes_.end(), [](const Lane* lane) { return lane->count == 0; });
}

}  // namespace dpcap
