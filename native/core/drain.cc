#include "core/drain.h"

#include <pthread.h>
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <sys/prctl.h>

#include <algorithm>
#include <utility>

#include "core/affinity.h"

namespace dpcap {
namespace {

constexpr size_t kFreeBurst = 512;
constexpr uint32_t kBusyBurst = 256;

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
  while (!stop_.load(std::memory_order_relaxed)) {
    const uint32_t found = round(false);
    pause(found);
  }
  // Bounded, for the case that a target could not be disabled and the primary goes on filling its ring.
  for (uint64_t drained = 0; drained < 2ull * pool_.most();) {
    const uint32_t found = round(true);
    if (found == 0 && arrivals_.is_empty()) break;
    drained += found;
  }
  sink_.flush();
  sink_.leave();
}

void Drain::pause(uint32_t found) {
  const bool is_busy = found >= busy_;
  // A drain that never catches up has no use for more mbufs, and the CPU time to make them would be its own.
  if (is_busy && pool_.is_short()) was_short_ = true;
  if (!is_busy && std::exchange(was_short_, false)) pool_.want_more();
  // A plain copy is stamped when it is found.
  const bool stamps_here = mode_ == CopyMode::plain && sink_.wants_times();
  const uint64_t before = rte_get_tsc_cycles();
  pacer_.pause(is_busy, found != 0, stamps_here || arrivals_.is_settling() || circulation_.is_small());
  const uint64_t now = rte_get_tsc_cycles();
  if (may_circulate_ && circulation_.look(now, found, now - before)) {
    pool_.circulate(circulation_.is_small() ? Circulation::kSmall : UINT32_MAX);
  }
}

// One look at every ring. Returns how many packets were found.
uint32_t Drain::round(bool last) {
  const uint32_t found = arrivals_.refill();
  while (true) {
    const Run run = arrivals_.next(last);
    if (run.count == 0) break;
    record(run.lane.is_filtered_here ? select(run) : run);
    free_all(run);
    arrivals_.taken(run.lane, run.count);
  }
  free_now();
  sink_.tick(rte_get_tsc_cycles(), arrivals_.complete_ns());
  return found;
}

void Drain::record(const Run& run) {
  Lane& lane = run.lane;
  if (is_own_ != nullptr && !is_own_(lane)) lane.end(LaneState::port_gone);
  if (!lane.is_live()) return lane.surplus.add(run.count);
  if (sink_.figures().failure() != 0 && !limit_.is_reached()) return lane.sinkdrop.add(run.count);
  const uint32_t granted = limit_.grant(run.count);
  const uint32_t taken = granted == 0 ? 0 : sink_.put({lane, run.mbufs, run.arrival_ns, granted});
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
  return {run.lane, selected_.data(), selected_ns_.data(), count};
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
