// How many of the pool's mbufs go around.
//
// An mbuf is used again when the whole circle has been. Of a small one it is still in a cache then, for the primary,
// which copies into it, and for us. Copying into memory that nobody has in a cache costs the primary up to three times
// as much (bench/RESULTS.md), so the circle is to be no larger than it must be.
//
// It must be large enough for what comes while we do not look: free mbufs for as long as the longest pause of late, a
// stall of the machine included, and for a burst while the drain sleeps. With the rate, the pauses become shorter and
// the circle larger.
//
// At a high rate this is the whole pool. Is it the primary that cannot copy faster, or a drain that never pauses and
// could not catch up after a stall anyway, then a small circle may be better, or worse: where the two cores share no
// cache each has to fetch an mbuf from the other's cache instead of from memory. Nobody tells which (and a virtual
// machine's CPUs are moved), so it is tried, now and then, and kept where more packets come through. But where the
// drain keeps up, not while the machine stalls for so long that a small circle would lose packets.
#pragma once
#include <cstdint>

namespace dpcap {

struct Circle {
  uint32_t free = UINT32_MAX;  // how many wait for the primary to take them
  uint32_t out = UINT32_MAX;   // and how many there are in all that are not kept back
};

class WorkingSet {
 public:
  static constexpr uint32_t kSmall = 16 * 1024;  // mbufs; 5 MiB of cache for packets of 64 B

  explicit WorkingSet(uint64_t tsc_hz);

  // After each round of the drain, at `now_tsc`: how many packets it found, and how long it paused. True when circle()
  // may have changed.
  bool look(uint64_t now_tsc, uint32_t found, uint64_t paused_ticks);
  // `sleep_us`: how long the drain sleeps at most.
  Circle circle(uint32_t sleep_us) const;
  // How long the drain may sleep at the present rate: a sleep is worth so many packets as pay for waking up.
  uint32_t sleep_us() const { return sleep_us_; }
  bool is_small() const { return is_small_; }

 private:
  enum class State { steady, trying, checking };

  void end_window(uint64_t now_tsc);
  double set_slack(double rate);
  void watch(double rate, bool is_flood, bool is_steady, uint64_t now_tsc);
  void measure(double rate, bool is_flood, bool is_disturbed, uint64_t now_tsc);
  void begin_trial();
  bool tried_small() const { return is_small_ == (state_ == State::trying); }
  bool is_better(double than) const;
  void end_trial(bool is_better, uint64_t now_tsc);
  void be_large(uint64_t now_tsc);
  void wait(uint64_t seconds, uint64_t now_tsc);
  void change(State state);
  void be_steady();

  const uint64_t tsc_hz_;
  const uint64_t window_;  // ticks
  uint64_t start_ = 0;
  uint64_t packets_ = 0;
  uint64_t paused_ = 0;

  uint64_t last_look_ = 0;
  double stall_ = 0;         // ticks between two looks, in the last second or so
  double window_stall_ = 0;  // and in this window
  double longest_gap_;       // ticks between two looks, of late
  double slack_ = 0;         // mbufs for what comes in twice that time
  uint32_t sleep_us_ = UINT32_MAX;

  State state_ = State::steady;
  bool is_small_ = false;
  uint32_t windows_ = 0;    // of this state: the last ones in which a trial might pay, when steady
  uint32_t disturbed_ = 0;  // windows of a trial that did not count
  double sum_ = 0;          // of their rates, which are packets a tick
  uint32_t easy_windows_ = 0;
  double before_ = 0;       // the trial
  double tried_ = 0;        // in it
  double large_rate_ = 0;   // what a large circle was last seen to do
  uint64_t try_after_ = 0;  // the next trial: wait_seconds_ after the last
  uint64_t wait_seconds_;
};

}  // namespace dpcap
