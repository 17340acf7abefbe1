#include "pdump/reader/stamp_clock.h"

#include <rte_cycles.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>

#include "base/now.h"

namespace dpcap {
namespace {

struct Pair {
  uint64_t tsc;
  uint64_t ns;
  uint64_t gap;  // ticks that reading both took
};

// Takes the tightest of a few readings, so that an interrupt in between does not shift the clock.
Pair read_pair(const TimeSource& source) {
  Pair best{0, 0, UINT64_MAX};
  for (int i = 0; i < 5; i++) {
    const uint64_t before = source.tsc();
    const uint64_t ns = source.realtime_ns();
    const uint64_t gap = source.tsc() - before;
    if (gap < best.gap) best = {before + gap / 2, ns, gap};
  }
  return best;
}

constexpr double kNsPerSecond = 1e9;
constexpr uint64_t kMostGapUs = 200;  // of a reading: a larger gap means that all five were interrupted
// A step is more than a slewed clock and a wrong rate explain: more than kStepNs, which is always allowed, plus a share
// of the time since the last reading, before and after the rate was measured over a second.
constexpr double kStepNs = 1e6, kUnmeasured = 0.01, kMeasured = 0.001;
constexpr int64_t kDayNs = 86400ll * 1000000000ll;

}  // namespace

TimeSource machine_time() {
  return {rte_get_tsc_hz(), [] { return rte_get_tsc_cycles(); }, [] { return now_ns(CLOCK_REALTIME); }};
}

WallClock::WallClock(const TimeSource& source) : source_(source) {
  const Pair pair = read_pair(source_);
  first_tsc_ = anchor_tsc_ = pair.tsc;
  first_ns_ = anchor_ns_ = pair.ns;
  const double hz = static_cast<double>(source.tsc_hz);
  ns_per_tick_ = kNsPerSecond / hz;
  refresh_interval_ = static_cast<uint64_t>(hz / 100);  // until a rate has been measured
}

bool WallClock::is_step(int64_t off_ns, uint64_t tsc) const {
  const double since_ns = static_cast<double>(tsc - anchor_tsc_) * ns_per_tick_;
  return std::abs(static_cast<double>(off_ns)) > kStepNs + since_ns * (is_measured_ ? kMeasured : kUnmeasured);
}

bool WallClock::anchor() {
  const Pair pair = read_pair(source_);
  if (pair.gap > ticks(kMostGapUs)) return false;  // the next reading decides
  const auto off = static_cast<int64_t>(pair.ns - to_ns(pair.tsc));
  const bool stepped = is_step(off, pair.tsc);
  const double elapsed = static_cast<double>(pair.tsc - first_tsc_);
  const double measured = static_cast<double>(static_cast<int64_t>(pair.ns - first_ns_)) / elapsed;
  // A clock that was set tells nothing of its rate, so the rate is measured from here on.
  if (!stepped && measured > ns_per_tick_ * 0.99 && measured < ns_per_tick_ * 1.01) {
    ns_per_tick_ = measured;
    if (elapsed * measured > kNsPerSecond) is_measured_ = true;
  } else {
    first_tsc_ = pair.tsc;
    first_ns_ = pair.ns;
  }
  if (stepped) steps_ns_ += off;
  anchor_tsc_ = pair.tsc;
  anchor_ns_ = pair.ns;
  // The clock is read ten times a second once the rate is known over a second or more, a hundred times before.
  refresh_interval_ = ticks(elapsed * ns_per_tick_ < kNsPerSecond ? 10000 : 100000);
  return stepped;
}

StampClock::StampClock(uint64_t tsc_hz, Stamps stamps)
    : ticks_per_ns_(static_cast<double>(tsc_hz) / kNsPerSecond),
      raw_tsc_(stamps == Stamps::raw_tsc),
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
  // The upper bound is certain. The lower bound is not quite: a thread of the primary may be preempted between taking
  // the stamp and filling the ring. So the lower one gives way where the two cross.
  hi_ = std::min(hi_, upper);
  lo_ = std::min(std::max(lo_, lower), hi_);
}

uint64_t StampClock::arrival(uint64_t field) const {
  if (raw_tsc_) return field & ~(1ull << 63);  // under discussion: 26.11 may mark a TSC with bit 63
  return anchor_tsc_ + (lo_ + hi_) / 2 + ticks_since_anchor(field);
}

}  // namespace dpcap
