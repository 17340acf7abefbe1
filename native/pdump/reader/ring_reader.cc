#include "pdump/reader/ring_reader.h"

#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include <algorithm>
#include <cmath>

#include "mbuf/mbuf_packet.h"

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

// Fetches the packets into the cache, and has `note` note each a little later, when it is there.
template <typename Note>
void fetch(rte_mbuf* const* mbufs, uint32_t count, Note note) {
  for (uint32_t i = 0; i < std::min(count, kMbufsAhead); i++) rte_prefetch0(mbufs[i]);
  for (uint32_t i = 0; i < count; i++) {
    if (i + kMbufsAhead < count) rte_prefetch0(mbufs[i + kMbufsAhead]);
    prefetch_data(mbufs[i]);
    if (i >= kDataAhead) note(i - kDataAhead);
  }
  for (uint32_t i = count > kDataAhead ? count - kDataAhead : 0; i < count; i++) note(i);
}

}  // namespace

RingReader::RingReader(std::vector<PdumpLane*> lanes, CopyMode mode, bool is_timed, uint32_t burst, SharedClock& clock)
    : is_stamped_(mode == CopyMode::stamped),
      is_timed_(is_timed || lanes.size() > 1),
      burst_(burst),
      clock_(clock),
      wall_(clock.wall(clock.tsc())),
      stamps_(clock.stamps()),
      settle_ticks_(wall_.ticks(kSettleUs)),
      reorder_ticks_(wall_.ticks(kReorderUs)) {
  std::stable_partition(lanes.begin(), lanes.end(),
                        [](const PdumpLane* lane) { return lane->id().direction == Direction::rx; });
  for (PdumpLane* lane : lanes) lanes_.emplace_back(*lane);
}

void RingReader::begin() {
  for (Held& held : lanes_) held.empty_tsc = clock_.tsc();
}

void RingReader::look_for_gaps() {
  for (Held& held : lanes_) held.gaps.look();
}

uint32_t RingReader::refill() {
  now_ = clock_.tsc();
  if (is_timed_) wall_ = clock_.wall(now_);
  is_full_ = false;
  count_waiting();
  const double share = is_stamped_ ? 1 : equal_share();
  uint32_t found = 0;
  for (Held& held : lanes_) {
    const double wanted = std::ceil(share * held.waiting);
    found += refill(held, std::min(room_in(held), static_cast<uint32_t>(wanted)));
  }
  return found;
}

// With one lane there is no order between lanes, so no look is needed before the one that takes the packets.
void RingReader::count_waiting() {
  for (Held& held : lanes_) held.waiting = lanes_.size() == 1 ? kPending : rte_ring_count(held.lane.ring);
  found_at_ = clock_.tsc();
}

// Returns which share of the packets waiting in each ring to take, so that the fullest one gives no more than there is
// room for.
double RingReader::equal_share() const {
  double share = 1;
  for (const Held& held : lanes_) {
    const uint32_t room = room_in(held);
    if (held.waiting > room) share = std::min(share, static_cast<double>(room) / held.waiting);
  }
  return share;
}

uint32_t RingReader::room_in(const Held& held) const { return std::min(burst_, kPending - held.count); }

// Moves what is held to the beginning.
void RingReader::Held::close_up() {
  if (head == 0) return;
  std::copy(mbufs + head, mbufs + head + count, mbufs);
  std::copy(arrival + head, arrival + head + resolved(), arrival);
  std::copy(stamp + head + resolved(), stamp + head + count, stamp + resolved());
  head = 0;
}

uint32_t RingReader::refill(Held& held, uint32_t most) {
  held.close_up();
  held.turns = 0;
  uint32_t left = 0;
  void** const fresh = reinterpret_cast<void**>(held.mbufs + held.count);
  const uint32_t found = rte_ring_sc_dequeue_burst(held.lane.ring, fresh, most, &left);
  if (lanes_.size() == 1) {
    found_at_ = clock_.tsc();
  } else {
    left = held.waiting - found;
    is_full_ = is_full_ || (left != 0 && most == 0);
  }
  if (found != 0) note_found(held, found);
  held.count += found;
  held.more = left != 0;
  if (!held.more) held.empty_tsc = now_;
  return found;
}

// Notes when the packets behind those that are held were found, or their stamps. The first of the stamps bounds the
// primary's clock from below, the last from above.
void RingReader::note_found(Held& held, uint32_t found) {
  rte_mbuf* const* mbufs = held.mbufs + held.count;
  if (!is_stamped_ || !is_timed_) {
    uint64_t* arrival = held.arrival + held.count;
    return fetch(mbufs, found, [=, at = found_at_](uint32_t i) { arrival[i] = at; });
  }
  uint64_t* stamp = held.stamp + held.count;
  fetch(mbufs, found, [=](uint32_t i) { stamp[i] = stamp_of(mbufs[i]); });
  stamps_ = clock_.observe(stamp[0], stamp[found - 1], held.empty_tsc, found_at_);
  held.unresolved += found;
}

// Turns stamps into arrival times. Only at the very start of a capture, while the primary's clock is not yet known to
// kSettleUs, are packets held back: for at most kSettleHoldUs.
void RingReader::resolve(Held& held, More more) {
  if (held.unresolved == 0) return;
  if (!stamps_.is_settled(settle_ticks_) && more == More::may_come) {
    if (held_since_ == 0) held_since_ = now_;
    if (now_ - held_since_ < wall_.ticks(kSettleHoldUs) && held.count < kPending) return;
  }
  const uint64_t now = clock_.tsc();
  for (uint32_t i = held.head + held.resolved(); i < held.head + held.count; i++) {
    held.arrival[i] = std::min(stamps_.arrival(held.stamp[i]), now);
  }
  held.unresolved = 0;
}

Burst RingReader::next(More more) { return is_stamped_ ? next_by_stamp(more) : next_by_turns(); }

Burst RingReader::nothing() const { return {lanes_[0].lane.lane, nullptr, nullptr, 0}; }

// Gives a sixteenth of what the last look found in each lane, by turns. Transmitted packets come as late as possible:
// when there are few packets, they are the answers to the last ones received.
Burst RingReader::next_by_turns() {
  while (true) {
    Held* next = nullptr;
    bool is_last = true;
    for (Held& held : lanes_) {
      if (held.count == 0) continue;
      if (next != nullptr) is_last = false;
      if (next == nullptr || held.turns < next->turns) next = &held;
    }
    if (next == nullptr) return nothing();
    if (is_last) return give(*next, next->count);
    const uint32_t rounding = next->direction() == Direction::rx ? kTurns - 1 : 0;
    const uint32_t all = next->head + next->count;
    const uint32_t until = std::min(all, (all * ++next->turns + rounding) / kTurns);  // a gap takes a turn as well
    if (until > next->head) return give(*next, until - next->head);
  }
}

// Packets that arrived only just now wait: an earlier one may not be in its ring yet.
Burst RingReader::next_by_stamp(More more) {
  Held* first = nullptr;
  uint64_t horizon = more == More::none ? UINT64_MAX : now_ - reorder_ticks_;
  for (Held& held : lanes_) {
    resolve(held, more);
    if (held.count == 0 && held.more) return nothing();  // it may have an earlier one
    if (held.resolved() == 0) continue;
    const uint64_t arrival = held.arrival[held.head];
    if (first == nullptr) {
      first = &held;
    } else if (arrival < first->arrival[first->head]) {
      horizon = std::min(horizon, first->arrival[first->head]);
      first = &held;
    } else {
      horizon = std::min(horizon, arrival);
    }
  }
  return first == nullptr ? nothing() : give(*first, count_until(*first, horizon));
}

Burst RingReader::give(Held& held, uint32_t count) {
  given_ = &held;
  uint64_t lost = 0;
  if (unlikely(held.gaps.has_gaps())) {
    lost = held.gaps.take(held.number());
    count = held.gaps.count_before(held.number(), count);
  }
  if (is_timed_) to_wall_time(held, count);
  return {held.lane.lane,
          held.mbufs + held.head,
          held.time_ns + held.head,
          count,
          wall_.steps_ns(),
          held.lane.is_filtered_here,
          lost};
}

uint32_t RingReader::count_until(const Held& held, uint64_t horizon) const {
  const uint32_t resolved = held.resolved();
  if (lanes_.size() == 1) return resolved;  // there is nothing to wait for
  uint32_t count = 0;
  while (count < resolved && held.arrival[held.head + count] <= horizon) count++;
  return count;
}

// Steady time never decreases within a lane; the time that is shown goes back when the system clock is set back.
void RingReader::to_wall_time(Held& held, uint32_t count) {
  const auto steps = static_cast<uint64_t>(wall_.steps_ns());
  for (uint32_t i = held.head; i < held.head + count; i++) {
    held.last_ns = std::max(held.last_ns, wall_.to_steady_ns(held.arrival[i]));
    held.time_ns[i] = held.last_ns + steps;
  }
}

void RingReader::taken(uint32_t count) {
  given_->head += count;
  given_->count -= count;
}

uint64_t RingReader::complete_ns() const {
  uint64_t complete = UINT64_MAX;
  for (const Held& held : lanes_) complete = std::min(complete, complete_ns(held));
  return complete;
}

// Times never decrease within a lane. A lane that was found empty has no packets but those on their way into its ring.
uint64_t RingReader::complete_ns(const Held& held) const {
  if (held.count != 0 || held.more) return held.last_ns;
  return std::max(held.last_ns, wall_.to_steady_ns(now_ - reorder_ticks_ - stamps_.uncertainty()));
}

bool RingReader::is_empty() const {
  return std::all_of(lanes_.begin(), lanes_.end(), [](const Held& held) { return held.count == 0; });
}

}  // namespace dpcap
