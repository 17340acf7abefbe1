// From the TSC to the time of day, and from the stamps of the primary's copies to the TSC.
//
// For one thread each, but for SharedStampClock.
#pragma once
#include <cstdint>
#include <mutex>

namespace dpcap {

// CLOCK_REALTIME as a function of the TSC, re-anchored ten times a second, so that a wrongly rounded tsc_hz (DPDK
// before 24.11 rounds to 10 MHz: 1.5 ms a second) does not accumulate. A clock that is set forward during a capture is
// followed; one that is set back is not, until it has caught up: time never goes back in a file.
class WallClock {
 public:
  explicit WallClock(uint64_t tsc_hz);
  void refresh(uint64_t now_tsc) {
    if (now_tsc - anchor_tsc_ > refresh_interval_) anchor();
  }
  uint64_t to_ns(uint64_t tsc) const {
    return anchor_ns_ +
           static_cast<int64_t>(static_cast<double>(static_cast<int64_t>(tsc - anchor_tsc_)) * ns_per_tick_);
  }
  uint64_t ticks(uint64_t microseconds) const {
    return static_cast<uint64_t>(static_cast<double>(microseconds) * 1000.0 / ns_per_tick_);
  }

 private:
  void anchor();

  uint64_t first_tsc_;
  uint64_t first_ns_;
  uint64_t anchor_tsc_;
  uint64_t anchor_ns_;
  uint64_t refresh_interval_;
  double ns_per_tick_;
};

// Turns the timestamp field of a stamped copy into the TSC at the packet's arrival.
//
// 23.11 and later store the raw TSC. 21.11 to 23.07 store ns with the primary's own base, which is wrong by a constant
// that differs from primary to primary (2^64 / tsc_hz seconds and more: the year 2250; dpdk-pdump.md 3.2). The constant
// is bracketed by what we know of every packet: it arrived after its ring was last seen empty and before it was taken
// out. The bracket narrows to microseconds within a few packets, and is begun anew when the primary's base jumps (its
// polling threads update it without synchronisation).
class StampClock {
 public:
  explicit StampClock(uint64_t tsc_hz);

  // Learns from one packet: its field, when its ring was last empty, and now.
  void observe(uint64_t field, uint64_t empty_tsc, uint64_t now_tsc);
  // True when arrival() is good to about `width` ticks.
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

// What one drain thread learns of the primary's clock, all of a capture know: so their packets can be put in order, and
// one that finds its first packet late need not learn before it goes on.
class SharedStampClock {
 public:
  explicit SharedStampClock(uint64_t tsc_hz) : clock_(tsc_hz) {}

  // Learns from the first and the last of the packets that were found at once; returns what is known now.
  StampClock observe(uint64_t first_field, uint64_t last_field, uint64_t empty_tsc, uint64_t found_tsc) {
    const std::lock_guard<std::mutex> lock(mutex_);
    clock_.observe(first_field, empty_tsc, found_tsc);
    clock_.observe(last_field, empty_tsc, found_tsc);
    return clock_;
  }

 private:
  std::mutex mutex_;
  StampClock clock_;
};

}  // namespace dpcap
