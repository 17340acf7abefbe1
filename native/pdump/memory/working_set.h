// Decides how many of the mempool's mbufs circulate. Runs on the drain thread.
//
// An mbuf is used again when the whole circle has been used. If the circle is small, the mbuf is then still in a cache,
// both for the primary, which copies into it, and for dpcap. Copying into memory that is in no cache costs the primary
// up to three times as much (bench/RESULTS.md), so the circle should be no larger than it must be.
//
// It must be large enough for what comes while the drain thread does not look: free mbufs for the longest pause of
// late, a stall of the machine included, and for a burst while the drain thread sleeps. As the rate rises, the pauses
// become shorter and the circle larger.
//
// At a high rate the circle is the whole mempool. If the primary cannot copy faster, or the drain thread never pauses
// and could not catch up after a stall anyway, a small circle may be better, or worse: where the two cores share no
// cache, each has to fetch an mbuf from the other's cache instead of from memory. Nothing tells which is the case (and
// a virtual machine's CPUs are moved), so a small circle is tried now and then, and kept where more packets come
// through. But where the drain thread keeps up, it is not tried while the machine stalls for so long that a small
// circle would lose packets.
#pragma once
#include <cstdint>

namespace dpcap {

struct Circle {
  uint32_t free = UINT32_MAX;  // mbufs that wait for the primary to take them
  uint32_t out = UINT32_MAX;   // all mbufs that are not kept back
};

class WorkingSet {
 public:
  static constexpr uint32_t kSmall = 16 * 1024;  // mbufs; 5 MiB of cache for packets of 64 B

  explicit WorkingSet(uint64_t tsc_hz);

  // Call it after each round of the drain thread, at `now_tsc`, with how many packets it found and how long it paused.
  // Returns true when circle() may have changed.
  bool look(uint64_t now_tsc, uint32_t found, uint64_t paused_ticks);
  // `sleep_us` is how long the drain thread sleeps at most.
  Circle circle(uint32_t sleep_us) const;
  // How long the drain thread may sleep at the present rate: until as many packets have come as pay for waking up.
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
  double stall_ = 0;         // most ticks between two looks, in the last second or so
  double window_stall_ = 0;  // most ticks between two looks, in this window
  double longest_gap_;       // most ticks between two looks, of late
  double slack_ = 0;         // mbufs for what comes in twice that time
  uint32_t sleep_us_ = UINT32_MAX;

  State state_ = State::steady;
  bool is_small_ = false;
  uint32_t windows_ = 0;    // windows in this state; when steady, the last ones of a flood
  uint32_t disturbed_ = 0;  // windows of a trial that do not count
  double sum_ = 0;          // sum of their rates, in packets per tick
  uint32_t easy_windows_ = 0;
  double before_ = 0;       // mean rate before the trial
  double tried_ = 0;        // mean rate in the trial
  double large_rate_ = 0;   // rate that a large circle was last seen to reach
  uint64_t try_after_ = 0;  // TSC of the next trial: wait_seconds_ after the last
  uint64_t wait_seconds_;
};

}  // namespace dpcap
