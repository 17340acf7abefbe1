// How many of the pool's mbufs go around while a drain has all it can do.
//
// An mbuf is used again when the whole pool has been. Of a small circle it is still in the cache then, for the primary
// that copies into it and for us: where both share a cache, 64 B on tmpfs go from 13 to 20 million packets a second.
// Where they do not, each has to fetch it from the other's cache instead of from memory, and it is 13 to 8. Nobody
// tells which (and a virtual machine's CPUs are moved), so it is tried, now and then, and kept where it is better. Only
// while the drain never pauses: then it could not catch up after a stall, and the slack of a large circle is worth
// nothing.
#pragma once
#include <cstdint>

namespace dpcap {

class Circulation {
 public:
  static constexpr uint32_t kSmall = 16 * 1024;  // mbufs; 5 MiB of cache for packets of 64 B

  explicit Circulation(uint64_t tsc_hz);

  // After each round of the drain, at `now_tsc`: how many packets it found, and how long it paused. True when
  // is_small() has changed.
  bool look(uint64_t now_tsc, uint32_t found, uint64_t paused_ticks);
  bool is_small() const { return is_small_; }

 private:
  enum class State { steady, trying, checking };

  void end_window(uint64_t now_tsc);
  void watch(double rate, bool is_busy, uint64_t now_tsc);
  void measure(double rate, bool is_busy, uint64_t now_tsc);
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

  State state_ = State::steady;
  bool is_small_ = false;
  uint32_t windows_ = 0;  // of this state: the last busy ones, when steady
  double sum_ = 0;        // of their rates, which are packets a tick
  uint32_t easy_windows_ = 0;
  double before_ = 0;       // the trial
  double tried_ = 0;        // in it
  double large_rate_ = 0;   // what a large circle was last seen to do
  uint64_t try_after_ = 0;  // the next trial: wait_seconds_ after the last
  uint64_t wait_seconds_;
};

}  // namespace dpcap
