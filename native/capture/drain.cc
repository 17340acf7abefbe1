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
constexpr uint32_t kHoldUs = 50;  // after which packets that were held back, and left no room, may go on

}  // namespace

Drain::Drain(std::vector<Lane*> lanes, CopyMode mode, DrainShare& shared, Sink& sink)
    : mode_(mode),
      filters_(shared.filters),
      pool_(shared.pool),
      sink_(sink),
      limit_(shared.limit),
      is_own_(shared.is_own),
      arrivals_(std::move(lanes), mode, sink.wants_times(), sink.burst(), shared.clock),
      busy_(std::min(kBusyBurst, sink.burst())),
      stamps_here_(mode == CopyMode::plain && sink.wants_times()),
      pacer_(shared.pool.planned(), shared.threads),
      circulation_(rte_get_tsc_hz()),
      may_circulate_(shared.threads == 1 && shared.pool.planned() > 2 * Circulation::kSmall) {
  to_free_.reserve(kFreeBurst + 64);
}

Drain::~Drain() { stop(); }

void Drain::start(bool comes_first) {
  thread_ = std::thread([this, comes_first] {
    if (comes_first) be_nice(kDrainNice);
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
  arrivals_.begin();
  while (!stop_.load(std::memory_order_relaxed)) pause(round(false));
  // Bounded, for the case that a target could not be disabled and the primary goes on filling its ring.
  for (uint64_t drained = 0; drained < 2ull * pool_.most();) {
    const Round last = round(true);
    if (last.found == 0 && arrivals_.is_empty()) break;
    drained += last.found;
  }
  sink_.flush();
  sink_.leave();
}

void Drain::pause(const Round& round) {
  // Nothing was found, but there was no room for it: what is there is handled, and then there is.
  const bool is_busy = std::max(round.found, round.handled) >= busy_;
  // A drain that never catches up has no use for more mbufs, and the CPU time to make them would be its own.
  if (is_busy && pool_.is_short()) was_short_ = true;
  if (!is_busy && std::exchange(was_short_, false)) pool_.want_more();
  const uint64_t before = rte_get_tsc_cycles();
  if (is_busy) {
    pacer_.go_on();
  } else {
    pacer_.sleep(round.found + round.handled != 0, longest_sleep_us());
  }
  const uint64_t now = rte_get_tsc_cycles();
  if (may_circulate_ && circulation_.look(now, round.found, now - before)) {
    // While a disk or a reader stalls, all mbufs there are have to hold what comes.
    pool_.circulate(sink_.is_behind() ? Circle{} : circulation_.circle(pacer_.sleep_us()));
  }
}

uint32_t Drain::longest_sleep_us() const {
  if (arrivals_.is_full()) return kHoldUs;
  // A plain copy is stamped when it is found.
  if (stamps_here_ || arrivals_.is_settling()) return Pacer::kUrgentUs;
  return circulation_.sleep_us();
}

Drain::Round Drain::round(bool last) {
  pool_.top_up();
  Round round{arrivals_.refill(), 0};
  while (true) {
    const Run run = arrivals_.next(last);
    if (run.count == 0) break;
    record(run.lane.is_filtered_here ? select(run) : run);
    free_all(run);
    arrivals_.taken(run.lane, run.count);
    round.handled += run.count;
  }
  free_now();
  sink_.tick(rte_get_tsc_cycles(), arrivals_.complete_ns());
  return round;
}

void Drain::record(const Run& run) {
  Lane& lane = run.lane;
  if (is_own_ != nullptr && !is_own_(lane)) lane.end(LaneState::port_gone);
  if (!lane.is_live()) return lane.surplus.add(run.count);
  if (sink_.figures().failure() != 0 && !limit_.is_reached()) return lane.sinkdrop.add(run.count);
  const uint32_t granted = limit_.grant(run.count);
  const uint32_t taken = granted == 0 ? 0 : sink_.put({lane, run.mbufs, run.arrival_ns, granted, run.steps_ns});
  lane.recorded.add(taken);
  lane.surplus.add(run.count - taken);
  if (!limit_.is_reached() && (limit_.is_used_up() || sink_.is_full())) {
    limit_.reach();
    sink_.flush();
  }
}

// The packets of a run that the filter selects. A stamped copy has the tags in the data already; a plain one is as the
// primary's filter would have seen it.
Run Drain::select(const Run& run) {
  const Direction direction = run.lane.target.direction;
  const bool is_stamped = mode_ == CopyMode::stamped;
  const Interpreter& filter = direction == Direction::rx ? filters_.rx : filters_.tx;
  selected_.clear();
  selected_ns_.clear();
  for (uint32_t i = 0; i < run.count; i++) {
    const rte_mbuf* mbuf = run.mbufs[i];
    const Packet packet = read_packet(mbuf, mode_, direction, UINT32_MAX);
    if (is_stamped ? !matches_stamped(filter, packet) : !filter.matches(mbuf, 0, mbuf->pkt_len, false)) continue;
    selected_.push_back(run.mbufs[i]);
    selected_ns_.push_back(run.arrival_ns[i]);
  }
  const auto count = static_cast<uint32_t>(selected_.size());
  run.lane.filtered.add(run.count - count);
  return {run.lane, selected_.data(), selected_ns_.data(), count, run.steps_ns};
}

bool Drain::matches_stamped(const Interpreter& filter, const Packet& packet) {
  if (packet.tag_count == 0) return filter.matches(packet.mbuf, packet.offset, packet.caplen, true);
  const rte_mbuf flat = lay_flat(packet, flat_);
  return filter.matches(&flat, 0, flat.pkt_len, true);
}

void Drain::free_all(const Run& run) {
  for (uint32_t i = 0; i < run.count; i++) free_later(run.mbufs[i]);
}

// Segments go back to the pool in bulk, in the state in which a pool expects them.
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
