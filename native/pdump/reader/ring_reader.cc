#include "pdump/reader/ring_reader.h"

#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include <algorithm>
#include <cmath>

#include "pdump/reader/mbuf_packet.h"

namespace dpcap {
namespace {

constexpr uint64_t kSettleUs = 50;
constexpr uint64_t kSettleHoldUs = 50000;
constexpr uint64_t kReorderUs = 50;
constexpr uint32_t kTurns = 16;  // a lane gives what one look found in it in so many turns
// Memory that another core wrote takes some 100 ns to come, so this many packets are prefetched ahead.
constexpr uint32_t kMbufsAhead = 24;
constexpr uint32_t kDataAhead = 12;

// Prefetches the stamp and the first bytes of the packet; the last ones of a small frame are in the next cache line.
void prefetch_data(const rte_mbuf* mbuf) {
  const auto* data = rte_pktmbuf_mtod(mbuf, const uint8_t*);
  rte_prefetch0(data);
  rte_prefetch0(data + RTE_CACHE_LINE_SIZE);
}

// Fetches the packets into the cache, and notes when they were found, or their stamps if `found_at` is 0.
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

RingReader::RingReader(std::vector<Lane*> lanes, CopyMode mode, bool is_timed, uint32_t burst, SharedClock& clock)
    : lanes_(std::move(lanes)),
      is_stamped_(mode == CopyMode::stamped),
      is_timed_(is_timed || lanes_.size() > 1),
      burst_(burst),
      clock_(clock),
      wall_(clock.wall(clock.tsc())),
      stamps_(clock.stamps()),
      settle_ticks_(wall_.ticks(kSettleUs)),
      reorder_ticks_(wall_.ticks(kReorderUs)) {
  std::stable_partition(lanes_.begin(), lanes_.end(),
                        [](const Lane* lane) { return lane->id.direction == Direction::rx; });
}

void RingReader::begin() {
  for (Lane* lane : lanes_) lane->empty_tsc = clock_.tsc();
}

uint32_t RingReader::refill() {
  now_ = clock_.tsc();
  if (is_timed_) wall_ = clock_.wall(now_);
  is_full_ = false;
  count_waiting();
  const double share = is_stamped_ ? 1 : equal_share();
  uint32_t found = 0;
  for (Lane* lane : lanes_) {
    const double wanted = std::ceil(share * lane->waiting);
    found += refill(*lane, std::min(room_in(*lane), static_cast<uint32_t>(wanted)));
  }
  return found;
}

// With one lane there is no order between lanes, so no look is needed before the one that takes the packets.
void RingReader::count_waiting() {
  for (Lane* lane : lanes_) {
    lane->waiting = lanes_.size() == 1 ? Lane::kPending : rte_ring_count(lane->ring);
  }
  found_at_ = clock_.tsc();
}

// Returns which share of the packets waiting in each ring to take, so that the fullest one gives no more than there is
// room for.
double RingReader::equal_share() const {
  double share = 1;
  for (const Lane* lane : lanes_) {
    const uint32_t room = room_in(*lane);
    if (lane->waiting > room) share = std::min(share, static_cast<double>(room) / lane->waiting);
  }
  return share;
}

uint32_t RingReader::room_in(const Lane& lane) const { return std::min(burst_, Lane::kPending - lane.count); }

uint32_t RingReader::refill(Lane& lane, uint32_t most) {
  if (lane.head != 0) {
    std::copy(lane.pending + lane.head, lane.pending + lane.head + lane.count, lane.pending);
    std::copy(lane.arrival + lane.head, lane.arrival + lane.head + lane.count, lane.arrival);
    lane.head = 0;
  }
  lane.turns = 0;
  rte_mbuf** fresh = lane.pending + lane.count;
  uint32_t left = 0;
  const uint32_t found = rte_ring_sc_dequeue_burst(lane.ring, reinterpret_cast<void**>(fresh), most, &left);
  if (lanes_.size() == 1) {
    found_at_ = clock_.tsc();
  } else {
    left = lane.waiting - found;
    is_full_ = is_full_ || (left != 0 && most == 0);
  }

  const bool reads_stamps = is_stamped_ && is_timed_;
  if (found != 0) fetch(fresh, found, lane.arrival + lane.count, reads_stamps ? 0 : found_at_);
  if (reads_stamps && found != 0) learn(lane, found, found_at_);
  lane.count += found;
  lane.unresolved += reads_stamps ? found : 0;
  lane.more = left != 0;
  if (!lane.more) lane.empty_tsc = now_;
  return found;
}

// The first of the packets found bounds the clock from below, the last from above.
void RingReader::learn(Lane& lane, uint32_t found, uint64_t now) {
  stamps_ = clock_.observe(lane.arrival[lane.count], lane.arrival[lane.count + found - 1], lane.empty_tsc, now);
}

// Turns stamps into arrival times. Only at the very start of a capture, while the primary's clock is not yet known to
// kSettleUs, are packets held back: for at most kSettleHoldUs.
void RingReader::resolve(Lane& lane, bool last) {
  if (lane.unresolved == 0) return;
  if (!stamps_.is_settled(settle_ticks_) && !last) {
    if (held_since_ == 0) held_since_ = now_;
    if (now_ - held_since_ < wall_.ticks(kSettleHoldUs) && lane.count < Lane::kPending) return;
  }
  const uint64_t now = clock_.tsc();
  for (uint32_t i = lane.head + lane.count - lane.unresolved; i < lane.head + lane.count; i++) {
    lane.arrival[i] = std::min(stamps_.arrival(lane.arrival[i]), now);
  }
  lane.unresolved = 0;
}

Burst RingReader::next(bool last) { return is_stamped_ ? next_by_stamp(last) : next_by_turns(); }

// Gives a sixteenth of what the last look found in each lane, by turns. Transmitted packets come as late as possible:
// when there are few packets, they are the answers to the last ones received.
Burst RingReader::next_by_turns() {
  while (true) {
    Lane* next = nullptr;
    bool is_last = true;
    for (Lane* lane : lanes_) {
      if (lane->count == 0) continue;
      if (next != nullptr) is_last = false;
      if (next == nullptr || lane->turns < next->turns) next = lane;
    }
    if (next == nullptr) return {*lanes_[0], nullptr, nullptr, 0};
    if (is_last) return give(*next, next->count);
    const uint32_t rounding = next->id.direction == Direction::rx ? kTurns - 1 : 0;
    const uint32_t until = ((next->head + next->count) * ++next->turns + rounding) / kTurns;
    if (until > next->head) return give(*next, until - next->head);
  }
}

// Packets that arrived only just now wait: an earlier one may not be in its ring yet.
Burst RingReader::next_by_stamp(bool last) {
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
  return give(*first, count_until(*first, horizon));
}

Burst RingReader::give(Lane& lane, uint32_t count) {
  if (is_timed_) to_wall_time(lane, count);
  return {lane, lane.pending + lane.head, lane.arrival + lane.head, count, wall_.steps_ns()};
}

uint32_t RingReader::count_until(Lane& lane, uint64_t horizon) const {
  const uint32_t resolved = lane.count - lane.unresolved;
  if (lanes_.size() == 1) return resolved;  // there is nothing to wait for
  uint32_t count = 0;
  while (count < resolved && lane.arrival[lane.head + count] <= horizon) count++;
  return count;
}

// Steady time never decreases within a lane; the time that is shown goes back when the system clock is set back.
void RingReader::to_wall_time(Lane& lane, uint32_t count) {
  const auto steps = static_cast<uint64_t>(wall_.steps_ns());
  for (uint32_t i = lane.head; i < lane.head + count; i++) {
    lane.last_ns = std::max(lane.last_ns, wall_.to_steady_ns(lane.arrival[i]));
    lane.arrival[i] = lane.last_ns + steps;
  }
}

void RingReader::taken(Lane& lane, uint32_t count) {
  lane.head += count;
  lane.count -= count;
}

uint64_t RingReader::complete_ns() const {
  uint64_t complete = UINT64_MAX;
  for (const Lane* lane : lanes_) complete = std::min(complete, complete_ns(*lane));
  return complete;
}

// Times never decrease within a lane. A lane that was found empty has no packets but those on their way into its ring.
uint64_t RingReader::complete_ns(const Lane& lane) const {
  if (lane.count != 0 || lane.more) return lane.last_ns;
  return std::max(lane.last_ns, wall_.to_steady_ns(now_ - reorder_ticks_ - stamps_.uncertainty()));
}

bool RingReader::is_empty() const {
  return std::all_of(lanes_.begin(), lanes_.end(), [](const Lane* lane) { return lane->count == 0; });
}

}  // namespace dpcap
