#include "core/clock.h"

#include <rte_cycles.h>
#include <rte_version.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include "core/now.h"

namespace dpcap {
namespace {

struct Pair {
  uint64_t tsc;
  uint64_t ns;
};

// The tightest of a few readings, so that an interrupt in between does not shift the clock.
Pair read_pair() {
  Pair best{0, 0};
  uint64_t best_gap = UINT64_MAX;
  for (int i = 0; i < 5; i++) {
    const uint64_t before = rte_get_tsc_cycles();
    const uint64_t ns = now_ns(CLOCK_REALTIME);
    const uint64_t after = rte_get_tsc_cycles();
    if (after - before >= best_gap) continue;
    best_gap = after - before;
    best = {before + best_gap / 2, ns};
  }
  return best;
}

constexpr double kNsPerSecond = 1e9;
constexpr int64_t kStepNs = 1000000;  // more than a slewed clock and a preempted reading differ
constexpr int64_t kDayNs = 86400ll * 1000000000ll;

}  // namespace

WallClock::WallClock(uint64_t tsc_hz) {
  const Pair pair = read_pair();
  first_tsc_ = anchor_tsc_ = pair.tsc;
  first_ns_ = anchor_ns_ = pair.ns;
  const double hz = static_cast<double>(tsc_hz);
  ns_per_tick_ = kNsPerSecond / hz;
  refresh_interval_ = static_cast<uint64_t>(hz / 100);  // until a rate has been measured
}

void WallClock::anchor() {
  const Pair pair = read_pair();
  const double elapsed = static_cast<double>(pair.tsc - first_tsc_);
  const double ns = static_cast<double>(static_cast<int64_t>(pair.ns - first_ns_));
  const double measured = ns / elapsed;
  const auto off = static_cast<int64_t>(pair.ns - to_ns(pair.tsc));
  // A stepped clock gives nonsense: begin a new baseline there, and keep the rate.
  if (std::llabs(off) < kStepNs && measured > ns_per_tick_ * 0.99 && measured < ns_per_tick_ * 1.01) {
    ns_per_tick_ = measured;
  } else {
    first_tsc_ = pair.tsc;
    first_ns_ = pair.ns;
  }
  const uint64_t predicted = to_ns(pair.tsc);
  anchor_tsc_ = pair.tsc;
  anchor_ns_ = static_cast<int64_t>(pair.ns - predicted) < -kStepNs ? predicted : pair.ns;
  // Ten times a second once the rate is known over a second or more, a hundred times before.
  refresh_interval_ = ticks(elapsed * ns_per_tick_ < kNsPerSecond ? 10000 : 100000);
}

StampClock::StampClock(uint64_t tsc_hz)
    : ticks_per_ns_(static_cast<double>(tsc_hz) / kNsPerSecond),
      raw_tsc_(RTE_VERSION >= RTE_VERSION_NUM(23, 11, 0, 0)),
      jump_(static_cast<int64_t>(tsc_hz / 2)) {}

int64_t StampClock::ticks_since_anchor(uint64_t field) const {
  // A double is exact to a tick for a hundred days, and three times as fast as a 128-bit division.
  return static_cast<int64_t>(static_cast<double>(static_cast<int64_t>(field - anchor_field_)) * ticks_per_ns_);
}

void StampClock::start_bracket(uint64_t field, uint64_t empty_tsc, uint64_t now_tsc) {
  anchored_ = true;
  anchor_field_ = field;
  anchor_tsc_ = now_tsc;
  hi_ = 0;
  lo_ = -static_cast<int64_t>(now_tsc - empty_tsc);
}

void StampClock::observe(uint64_t field, uint64_t empty_tsc, uint64_t now_tsc) {
  if (raw_tsc_) return;
  if (!anchored_ || std::llabs(static_cast<int64_t>(field - anchor_field_)) > kDayNs) {
    start_bracket(field, empty_tsc, now_tsc);
    return;
  }
  const int64_t since = ticks_since_anchor(field);
  const int64_t upper = static_cast<int64_t>(now_tsc - anchor_tsc_) - since;
  const int64_t lower = static_cast<int64_t>(empty_tsc - anchor_tsc_) - since;
  if (lower > hi_ + jump_ || upper < lo_ - jump_) {
    start_bracket(field, empty_tsc, now_tsc);
    return;
  }
  // The upper bound is certain. The lower is not quite: a thread of the primary may be preempted between taking the
  // stamp and filling the ring, so it gives way where the two cross.
  hi_ = std::min(hi_, upper);
  lo_ = std::min(std::max(lo_, lower), hi_);
}

uint64_t StampClock::arrival(uint64_t field) const {
  if (raw_tsc_) return field & ~(1ull << 63);  // 26.11 is discussed to mark a TSC with bit 63
  return anchor_tsc_ + (lo_ + hi_) / 2 + ticks_since_anchor(field);
}

}  // namespace dpcap
