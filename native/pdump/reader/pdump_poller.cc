#include "pdump/reader/pdump_poller.h"

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <utility>

#include "capture/poll_backoff.h"

namespace dpcap {
namespace {

constexpr size_t kFreeBurst = 512;
// The primary loses packets when the pool has run dry, and that is looked at at once, and for reasons of their own.
constexpr uint64_t kGapLooksPerSecond = 100;
constexpr uint32_t kHoldUs = 50;  // then packets that were held back, and left no room, may go on

size_t indices_of(const std::vector<PdumpLane*>& lanes) {
  size_t count = 0;
  for (const PdumpLane* lane : lanes) count = std::max(count, lane->index() + 1);
  return count;
}

}  // namespace

PdumpPoller::PdumpPoller(std::vector<PdumpLane*> lanes, const PollerShare& share, std::unique_ptr<PacketWriter> writer,
                         const Sink& sink, Admission& admission)
    : mode_(share.mode),
      filters_(share.filters),
      pool_(share.pool),
      is_own_(share.is_own),
      writer_(std::move(writer)),
      sink_(sink),
      admission_(admission),
      untold_(indices_of(lanes)),
      reader_(std::move(lanes), share.mode, sink.wants_times(), sink.burst_size(), share.clock),
      stamps_here_(share.mode == CopyMode::plain && sink.wants_times()),
      gaps_(share.gaps),
      working_set_(rte_get_tsc_hz()),
      may_shrink_(share.threads == 1 && share.pool.planned() > 2 * WorkingSet::kSmall) {
  to_free_.reserve(kFreeBurst + 64);
}

uint32_t PdumpPoller::poll() {
  pool_.top_up();
  if (gaps_ == Gaps::told) look_for_gaps();
  found_ = reader_.refill();
  return found_;
}

// The primary's counters lie in a cache line that its threads write with each burst: it is not to be read all the time.
void PdumpPoller::look_for_gaps() {
  const uint64_t now = rte_get_tsc_cycles();
  const uint32_t dried = pool_.dried();
  if (dried == dried_ && now - gaps_tsc_ < rte_get_tsc_hz() / kGapLooksPerSecond) return;
  dried_ = dried;
  gaps_tsc_ = now;
  reader_.look_for_gaps();
}

uint32_t PdumpPoller::deliver(More more) {
  uint32_t handled = 0;
  while (true) {
    const Burst burst = reader_.next(more);
    if (burst.count == 0) break;
    untold_[burst.lane.index] += burst.lost;
    record(burst.is_unfiltered ? select(burst) : burst);
    free_all(burst);
    reader_.taken(burst.count);
    handled += burst.count;
  }
  free_now();
  return handled;
}

void PdumpPoller::record(const Burst& burst) {
  Lane& lane = burst.lane;
  if (is_own_ != nullptr && !is_own_(lane)) lane.end(LaneState::port_gone);
  const uint32_t admitted = admission_.admit(lane, burst.count);
  if (admitted == 0) return;
  uint64_t& untold = untold_[lane.index];
  const Written written = writer_->put({lane, burst.mbufs, burst.arrival_ns, admitted, burst.steps_ns, false, untold});
  if (written.packets != 0) untold = 0;
  admission_.recorded(lane, admitted, written);
}

void PdumpPoller::before_pause(bool is_busy) {
  // A drain thread that never catches up has no use for more mbufs, and making them would take its own CPU time.
  if (is_busy && pool_.is_short()) was_short_ = true;
  if (!is_busy && std::exchange(was_short_, false)) pool_.want_more();
  paused_tsc_ = rte_get_tsc_cycles();
}

void PdumpPoller::after_pause(uint32_t sleep_us) {
  const uint64_t now = rte_get_tsc_cycles();
  if (!may_shrink_ || !working_set_.look(now, found_, now - paused_tsc_)) return;
  // While a disk or a reader stalls, all mbufs are needed to hold what comes.
  pool_.circulate(sink_.is_behind() ? Circle{} : working_set_.circle(sleep_us));
}

uint32_t PdumpPoller::longest_sleep_us() const {
  if (reader_.is_full()) return kHoldUs;
  // A plain copy gets its timestamp when it is found.
  if (stamps_here_ || reader_.is_settling()) return PollBackoff::kUrgentUs;
  return working_set_.sleep_us();
}

// Returns the packets of a burst that the filter selects. A stamped copy has the tags in the data already; a plain one
// is as the primary's filter would have seen it.
Burst PdumpPoller::select(const Burst& burst) {
  const Direction direction = burst.lane.id.direction;
  const bool is_stamped = mode_ == CopyMode::stamped;
  const Filters& filters = filters_[burst.lane.rule.filter];
  const Interpreter& filter = direction == Direction::rx ? filters.rx : filters.tx;
  selected_.clear();
  selected_ns_.clear();
  for (uint32_t i = 0; i < burst.count; i++) {
    const rte_mbuf* mbuf = burst.mbufs[i];
    const Packet packet = read_packet(mbuf, mode_, direction, UINT32_MAX);
    if (is_stamped ? !matches_stamped(filter, packet) : !filter.matches(mbuf, 0, mbuf->pkt_len, false)) continue;
    selected_.push_back(burst.mbufs[i]);
    selected_ns_.push_back(burst.arrival_ns[i]);
  }
  const auto count = static_cast<uint32_t>(selected_.size());
  admission_.filtered(burst.lane, burst.count - count);
  return {burst.lane, selected_.data(), selected_ns_.data(), count, burst.steps_ns};
}

bool PdumpPoller::matches_stamped(const Interpreter& filter, const Packet& packet) {
  if (packet.tag_count == 0) return filter.matches(packet.mbuf, packet.offset, packet.caplen, true);
  const rte_mbuf flat = lay_flat(packet, flat_);
  return filter.matches(&flat, 0, flat.pkt_len, true);
}

void PdumpPoller::free_all(const Burst& burst) {
  for (uint32_t i = 0; i < burst.count; i++) free_later(burst.mbufs[i]);
}

// Segments go back to the mempool in bulk, in the state in which a mempool expects them.
void PdumpPoller::free_later(rte_mbuf* mbuf) {
  if (mbuf->nb_segs == 1) {
    to_free_.push_back(mbuf);
  } else {
    for (rte_mbuf* segment = mbuf; segment != nullptr;) {
      rte_mbuf* next = segment->next;
      segment->next = nullptr;
      segment->nb_segs = 1;
      to_free_.push_back(segment);
      segment = next;
    }
  }
  if (to_free_.size() >= kFreeBurst) free_now();
}

void PdumpPoller::free_now() {
  if (to_free_.empty()) return;
  pool_.give_back(to_free_.data(), static_cast<uint32_t>(to_free_.size()));
  to_free_.clear();
}

}  // namespace dpcap
