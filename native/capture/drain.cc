#include "capture/drain.h"

#include <pthread.h>
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <sys/prctl.h>

#include <algorithm>
#include <utility>

#include "base/thread.h"

namespace dpcap {
namespace {

constexpr size_t kFreeBurst = 512;
constexpr uint32_t kBusyBurst = 256;
constexpr uint32_t kHoldUs = 50;  // then packets that were held back, and left no room, may go on

}  // namespace

Drain::Drain(std::vector<Lane*> lanes, CopyMode mode, DrainShare& shared, Sink& sink)
    : mode_(mode),
      filters_(shared.filters),
      pool_(shared.pool),
      sink_(sink),
      limit_(shared.limit),
      is_own_(shared.is_own),
      reader_(std::move(lanes), mode, sink.wants_times(), sink.burst_size(), shared.clock),
      busy_(std::min(kBusyBurst, sink.burst_size())),
      stamps_here_(mode == CopyMode::plain && sink.wants_times()),
      backoff_(shared.pool.planned(), shared.threads),
      working_set_(rte_get_tsc_hz()),
      may_shrink_(shared.threads == 1 && shared.pool.planned() > 2 * WorkingSet::kSmall) {
  to_free_.reserve(kFreeBurst + 64);
}

Drain::~Drain() { stop(); }

void Drain::start(bool high_priority) {
  thread_ = std::thread([this, high_priority] {
    if (high_priority) set_nice(kDrainNice);
    run();
  });
}

void Drain::stop() {
  if (!thread_.joinable()) return;
  stop_ = true;
  thread_.join();
}

void Drain::run() {
  pthread_setname_np(pthread_self(), "dpcap-drain");
  prctl(PR_SET_TIMERSLACK, 1);
  sink_.enter();
  reader_.begin();
  while (!stop_.load(std::memory_order_relaxed)) pause(round(false));
  // This is bounded, for the case that a lane could not be disabled and the primary goes on filling its ring.
  for (uint64_t drained = 0; drained < 2ull * pool_.most();) {
    const Round last = round(true);
    if (last.found == 0 && reader_.is_empty()) break;
    drained += last.found;
  }
  sink_.flush();
  sink_.leave();
}

void Drain::pause(const Round& round) {
  // A round may find nothing because there is no room. It then handles what is there, and that makes room.
  const bool is_busy = std::max(round.found, round.handled) >= busy_;
  // A drain thread that never catches up has no use for more mbufs, and making them would take its own CPU time.
  if (is_busy && pool_.is_short()) was_short_ = true;
  if (!is_busy && std::exchange(was_short_, false)) pool_.want_more();
  const uint64_t before = rte_get_tsc_cycles();
  if (is_busy) {
    backoff_.go_on();
  } else {
    backoff_.sleep(round.found + round.handled != 0, longest_sleep_us());
  }
  const uint64_t now = rte_get_tsc_cycles();
  if (may_shrink_ && working_set_.look(now, round.found, now - before)) {
    // While a disk or a reader stalls, all mbufs are needed to hold what comes.
    pool_.circulate(sink_.is_behind() ? Circle{} : working_set_.circle(backoff_.sleep_us()));
  }
}

uint32_t Drain::longest_sleep_us() const {
  if (reader_.is_full()) return kHoldUs;
  // A plain copy gets its timestamp when it is found.
  if (stamps_here_ || reader_.is_settling()) return PollBackoff::kUrgentUs;
  return working_set_.sleep_us();
}

Drain::Round Drain::round(bool last) {
  pool_.top_up();
  Round round{reader_.refill(), 0};
  while (true) {
    const Burst burst = reader_.next(last);
    if (burst.count == 0) break;
    record(burst.lane.is_filtered_here ? select(burst) : burst);
    free_all(burst);
    reader_.taken(burst.lane, burst.count);
    round.handled += burst.count;
  }
  free_now();
  sink_.tick(rte_get_tsc_cycles(), reader_.complete_ns());
  return round;
}

void Drain::record(const Burst& burst) {
  Lane& lane = burst.lane;
  if (is_own_ != nullptr && !is_own_(lane)) lane.end(LaneState::port_gone);
  if (!lane.is_live()) return lane.surplus.add(burst.count);
  if (sink_.counters().failure() != 0 && !limit_.is_reached()) return lane.sinkdrop.add(burst.count);
  const uint32_t granted = limit_.grant(burst.count);
  const uint32_t taken = granted == 0 ? 0 : sink_.put({lane, burst.mbufs, burst.arrival_ns, granted, burst.steps_ns});
  lane.recorded.add(taken);
  lane.surplus.add(burst.count - taken);
  if (!limit_.is_reached() && (limit_.is_used_up() || sink_.is_full())) {
    limit_.reach();
    sink_.flush();
  }
}

// Returns the packets of a burst that the filter selects. A stamped copy has the tags in the data already; a plain one
// is as the primary's filter would have seen it.
Burst Drain::select(const Burst& burst) {
  const Direction direction = burst.lane.id.direction;
  const bool is_stamped = mode_ == CopyMode::stamped;
  const Interpreter& filter = direction == Direction::rx ? filters_.rx : filters_.tx;
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
  burst.lane.filtered.add(burst.count - count);
  return {burst.lane, selected_.data(), selected_ns_.data(), count, burst.steps_ns};
}

bool Drain::matches_stamped(const Interpreter& filter, const Packet& packet) {
  if (packet.tag_count == 0) return filter.matches(packet.mbuf, packet.offset, packet.caplen, true);
  const rte_mbuf flat = lay_flat(packet, flat_);
  return filter.matches(&flat, 0, flat.pkt_len, true);
}

void Drain::free_all(const Burst& burst) {
  for (uint32_t i = 0; i < burst.count; i++) free_later(burst.mbufs[i]);
}

// Segments go back to the mempool in bulk, in the state in which a mempool expects them.
void Drain::free_later(rte_mbuf* mbuf) {
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

void Drain::free_now() {
  if (to_free_.empty()) return;
  pool_.give_back(to_free_.data(), static_cast<uint32_t>(to_free_.size()));
  to_free_.clear();
}

}  // namespace dpcap
