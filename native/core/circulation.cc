#include "core/circulation.h"

#include <algorithm>
#include <utility>

namespace dpcap {
namespace {

constexpr uint64_t kWindowsPerSecond = 50;
constexpr double kBusyPauses = 0.05;      // of the time: a drain that pauses less has all it can do
constexpr uint32_t kBusyWindows = 10;     // before a trial: one after the other
constexpr uint32_t kEasyWindows = 3;      // until a small circle is a large one again
constexpr uint32_t kSettlingWindows = 2;  // until what was in the other circle has come back
constexpr uint32_t kTrialWindows = 3;
constexpr double kWorse = 0.8;  // of the rate before: ends a trial at once
// A small circle has to be worth its lack of slack; a large one only not worse.
constexpr double kSmallGain = 1.1, kLargeGain = 0.95;
constexpr uint64_t kLeastWaitSeconds = 1, kMostWaitSeconds = 64;  // between trials

}  // namespace

Circulation::Circulation(uint64_t tsc_hz)
    : tsc_hz_(tsc_hz), window_(tsc_hz / kWindowsPerSecond), wait_seconds_(kLeastWaitSeconds) {}

bool Circulation::look(uint64_t now_tsc, uint32_t found, uint64_t paused_ticks) {
  if (start_ == 0) start_ = now_tsc;
  packets_ += found;
  paused_ += paused_ticks;
  if (now_tsc - start_ < window_) return false;
  const bool was_small = is_small_;
  end_window(now_tsc);
  return is_small_ != was_small;
}

void Circulation::end_window(uint64_t now_tsc) {
  const auto ticks = static_cast<double>(now_tsc - std::exchange(start_, now_tsc));
  const double rate = static_cast<double>(std::exchange(packets_, 0)) / ticks;
  const bool is_busy = static_cast<double>(std::exchange(paused_, 0)) < kBusyPauses * ticks;
  if (state_ == State::steady) {
    watch(rate, is_busy, now_tsc);
  } else {
    measure(rate, is_busy, now_tsc);
  }
}

void Circulation::watch(double rate, bool is_busy, uint64_t now_tsc) {
  // What a large circle can do as well, with slack: the load is less, or the CPUs have been moved.
  easy_windows_ = is_small_ && rate < kLargeGain * large_rate_ ? easy_windows_ + 1 : 0;
  if (easy_windows_ >= kEasyWindows) return be_large(now_tsc);
  if (!is_busy) return be_steady();
  if (windows_ == kBusyWindows) sum_ -= sum_ / windows_--;
  windows_++;
  sum_ += rate;
  if (windows_ >= kBusyWindows && now_tsc >= try_after_) begin_trial();
}

void Circulation::begin_trial() {
  before_ = sum_ / windows_;
  if (!is_small_) large_rate_ = before_;
  change(State::trying);
}

// The other circle, and then the one before again: what has changed by itself meanwhile is no gain.
void Circulation::measure(double rate, bool is_busy, uint64_t now_tsc) {
  if (!is_small_ && !is_busy) return be_large(now_tsc);  // the flood has ended
  if (state_ == State::trying && rate < kWorse * before_) return end_trial(false, now_tsc);
  if (++windows_ <= kSettlingWindows) return;
  sum_ += rate;
  if (windows_ < kSettlingWindows + kTrialWindows) return;
  const double mean = sum_ / kTrialWindows;
  if (!is_small_) large_rate_ = mean;
  if (state_ == State::checking) return end_trial(is_better(mean), now_tsc);
  tried_ = mean;
  if (!is_better(before_)) return end_trial(false, now_tsc);
  change(State::checking);
}

// What was tried last, than that rate of the other circle.
bool Circulation::is_better(double than) const { return tried_ > (tried_small() ? kSmallGain : kLargeGain) * than; }

void Circulation::end_trial(bool is_better, uint64_t now_tsc) {
  is_small_ = is_better ? tried_small() : !tried_small();
  wait(is_better ? kLeastWaitSeconds : std::min(2 * wait_seconds_, kMostWaitSeconds), now_tsc);
}

void Circulation::be_large(uint64_t now_tsc) {
  is_small_ = false;
  easy_windows_ = 0;
  wait(kLeastWaitSeconds, now_tsc);
}

void Circulation::wait(uint64_t seconds, uint64_t now_tsc) {
  wait_seconds_ = seconds;
  try_after_ = now_tsc + seconds * tsc_hz_;
  be_steady();
}

void Circulation::change(State state) {
  is_small_ = !is_small_;
  be_steady();
  state_ = state;
}

void Circulation::be_steady() {
  state_ = State::steady;
  windows_ = 0;
  sum_ = 0;
}

}  // namespace dpcap
