// The clocks that turn the TSC into the time of day, and the stamps of the primary's copies into the TSC.
//
// Each is for one thread, except SharedClock, which all drain threads of a capture use.
#pragma once
#include <cstdint>
#include <mutex>

#include "base/now.h"

namespace dpcap {

// Where a clock reads the time. Tests have a source of their own.
struct TimeSource {
  uint64_t tsc_hz;
  uint64_t (*tsc)();
  uint64_t (*realtime_ns)();
};
TimeSource machine_time();

// CLOCK_REALTIME as a function of the TSC, re-anchored ten times a second, so that a wrongly rounded tsc_hz (DPDK
// before 24.11 rounds to 10 MHz: 1.5 ms a second) does not accumulate.
//
// A system clock that is set, forward or back, is followed: such a step shows in to_ns(), but not in to_steady_ns(),
// which is the same time without the steps. Packets are put in order by steady time, and shown with the other.
class WallClock {
 public:
  explicit WallClock(const TimeSource& source);
  // Reads the system clock when that is due. Returns true when the clock had been set since the last reading.
  bool refresh(uint64_t now_tsc) { return now_tsc - anchor_tsc_ > refresh_interval_ && anchor(); }
  uint64_t to_ns(uint64_t tsc) const {
    return anchor_ns_ +
           static_cast<int64_t>(static_cast<double>(static_cast<int64_t>(tsc - anchor_tsc_)) * ns_per_tick_);
  }
  uint64_t to_steady_ns(uint64_t tsc) const { return to_ns(tsc) - static_cast<uint64_t>(steps_ns_); }
  // What all steps so far add up to: to_ns() - to_steady_ns().
  int64_t steps_ns() const { return steps_ns_; }
  uint64_t ticks(uint64_t microseconds) const {
    return static_cast<uint64_t>(static_cast<double>(microseconds) * 1000.0 / ns_per_tick_);
  }

 private:
  bool anchor();
  bool is_step(int64_t off_ns, uint64_t tsc) const;

  TimeSource source_;
  uint64_t first_tsc_;
  uint64_t first_ns_;
  uint64_t anchor_tsc_;
  uint64_t anchor_ns_;
  uint64_t refresh_interval_;
  double ns_per_tick_;
  int64_t steps_ns_ = 0;
  bool is_measured_ = false;  // the rate
};

// Turns the timestamp field of a stamped copy into the TSC at the packet's arrival.
//
// DPDK 23.11 and later store the raw TSC. 21.11 to 23.07 store ns with the primary's own base, which is wrong by a
// constant that differs from primary to primary (2^64 / tsc_hz seconds and more: the year 2250; dpdk-pdump.md 3.2). The
// constant is bracketed by what is known of every packet: it arrived after its ring was last seen empty and before it
// was taken out. The bracket narrows to microseconds within a few packets, and is begun anew when the primary's base
// jumps (its polling threads update it without synchronisation).
class StampClock {
 public:
  // What the primary writes into the field: see Release::stamps_raw_tsc.
  enum class Stamps { primary_ns, raw_tsc };

  StampClock(uint64_t tsc_hz, Stamps stamps);

  // Learns from one packet: from its field, the time when its ring was last empty, and the present time.
  void observe(uint64_t field, uint64_t empty_tsc, uint64_t now_tsc);
  // Returns true when arrival() is good to about `width` ticks.
  bool is_settled(uint64_t width) const { return raw_tsc_ || (anchored_ && hi_ - lo_ < static_cast<int64_t>(width)); }
  uint64_t arrival(uint64_t field) const;
  // How far arrival() may be off, in ticks.
  uint64_t uncertainty() const { return raw_tsc_ ? 0 : static_cast<uint64_t>(hi_ - lo_) / 2; }

 private:
  int64_t ticks_since_anchor(uint64_t field) const;
  void start_bracket(uint64_t field, uint64_t empty_tsc, uint64_t now_tsc);

  double ticks_per_ns_;
  bool raw_tsc_;
  int64_t jump_;  // more than any scheduling delay, less than the smallest jump of the base (1 s)
  bool anchored_ = false;
  uint64_t anchor_field_ = 0;
  uint64_t anchor_tsc_ = 0;
  int64_t lo_ = 0;  // the anchor packet arrived between anchor_tsc_ + lo_ ...
  int64_t hi_ = 0;  // ... and anchor_tsc_ + hi_
};

// The clocks of a capture. All its drain threads turn stamps into the same time, because otherwise their packets could
// not be put in order. And what one of them learns of the primary's clock, the others need not learn before they go on.
class SharedClock {
 public:
  SharedClock(const TimeSource& source, StampClock::Stamps stamps)
      : source_(source), wall_(source), stamps_(source.tsc_hz, stamps) {}

  uint64_t tsc() const { return source_.tsc(); }
  WallClock wall(uint64_t now_tsc) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (wall_.refresh(now_tsc)) steps_++;
    return wall_;
  }
  StampClock stamps() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return stamps_;
  }
  // Learns from the first and the last of the packets that were found at once; returns what is known now.
  StampClock observe(uint64_t first_field, uint64_t last_field, uint64_t empty_tsc, uint64_t found_tsc) {
    const std::lock_guard<std::mutex> lock(mutex_);
    stamps_.observe(first_field, empty_tsc, found_tsc);
    stamps_.observe(last_field, empty_tsc, found_tsc);
    return stamps_;
  }
  ClockSteps steps() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return {steps_, wall_.steps_ns()};
  }

 private:
  const TimeSource source_;
  mutable std::mutex mutex_;
  WallClock wall_;
  StampClock stamps_;
  uint32_t steps_ = 0;
};

}  // namespace dpcap
