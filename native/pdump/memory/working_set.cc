#include "pdump/memory/working_set.h"

#include <algorithm>
#include <utility>

#include "capture/poll_backoff.h"

namespace dpcap {
namespace {

constexpr uint64_t kWindowsPerSecond = 50;
constexpr double kBusyPauses = 0.05;      // share of the time: a drain thread that pauses less is fully busy
constexpr uint32_t kWindows = 10;         // consecutive windows of a flood before a trial begins
constexpr uint32_t kEasyWindows = 3;      // windows until a small circle becomes a large one again
constexpr uint32_t kSettlingWindows = 2;  // windows until the mbufs of the other circle have come back
constexpr uint32_t kTrialWindows = 3;
constexpr uint32_t kMostDisturbed = 10;  // windows of a trial in which the machine stalled: then it tells nothing
constexpr double kWorse = 0.8;           // share of the rate before: a lower rate ends a trial at once
// A small circle has to be worth its lack of slack; a large one only has to be no worse.
constexpr double kSmallGain = 1.1, kLargeGain = 0.95;
constexpr uint64_t kLeastWaitSeconds = 1, kMostWaitSeconds = 16;  // between trials

constexpr double kFirstGap = 0.016;    // s, while the machine's stalls are not known yet
constexpr double kLeastSlack = 0.008;  // s
constexpr double kGapDecay = 0.999;    // per window: halves in 14 s
constexpr double kStallDecay = 0.97;
constexpr double kSlackDecay = 0.97;  // per window: halves in half a second
constexpr double kPacketsPerSleep = 2048;
constexpr double kLeastSleepUs = PollBackoff::kUrgentUs;
constexpr double kAll = UINT32_MAX;

}  // namespace

WorkingSet::WorkingSet(uint64_t tsc_hz)
    : tsc_hz_(tsc_hz),
      window_(tsc_hz / kWindowsPerSecond),
      longest_gap_(kFirstGap * static_cast<double>(tsc_hz)),
      wait_seconds_(kLeastWaitSeconds) {}

bool WorkingSet::look(uint64_t now_tsc, uint32_t found, uint64_t paused_ticks) {
  if (start_ == 0) start_ = last_look_ = now_tsc;
  const auto gap = static_cast<double>(now_tsc - std::exchange(last_look_, now_tsc));
  longest_gap_ = std::max(longest_gap_, gap);
  stall_ = std::max(stall_, gap);
  window_stall_ = std::max(window_stall_, gap);
  packets_ += found;
  paused_ += paused_ticks;
  if (now_tsc - start_ < window_) return false;
  end_window(now_tsc);
  return true;
}

Circle WorkingSet::circle(uint32_t sleep_us) const {
  if (is_small_) return {kSmall, kSmall};
  const double burst = static_cast<double>(PollBackoff::kMbufsPerUs) * std::min(sleep_us, sleep_us_);
  return {std::max(kSmall, static_cast<uint32_t>(std::min(std::max(slack_, burst), kAll))), UINT32_MAX};
}

void WorkingSet::end_window(uint64_t now_tsc) {
  const auto ticks = static_cast<double>(now_tsc - std::exchange(start_, now_tsc));
  const double rate = static_cast<double>(std::exchange(packets_, 0)) / ticks;
  const bool is_busy = static_cast<double>(std::exchange(paused_, 0)) < kBusyPauses * ticks;
  const double slack = set_slack(rate);
  const bool is_flood = is_busy || slack > kSmall;
  const bool is_disturbed = rate * std::exchange(window_stall_, 0) >= kSmall && !is_busy;
  // A trial must not cost packets that would not be lost otherwise, so none begins while the machine stalls so long.
  const bool is_steady = rate * std::exchange(stall_, kStallDecay * stall_) < kSmall || is_busy;
  if (state_ == State::steady) {
    watch(rate, is_flood, is_steady, now_tsc);
  } else {
    measure(rate, is_flood, is_disturbed, now_tsc);
  }
}

// The slack grows at once, and shrinks slowly. Returns the slack that the present rate alone would need.
double WorkingSet::set_slack(double rate) {
  const double per_us = rate * static_cast<double>(tsc_hz_) / 1e6;
  sleep_us_ = static_cast<uint32_t>(std::clamp(kPacketsPerSleep / std::max(per_us, 1e-6), kLeastSleepUs, 1e6));
  const double time = std::max(2 * longest_gap_, kLeastSlack * static_cast<double>(tsc_hz_));
  longest_gap_ *= kGapDecay;
  slack_ = std::max(rate * time, kSlackDecay * slack_);
  return rate * time;
}

void WorkingSet::watch(double rate, bool is_flood, bool is_steady, uint64_t now_tsc) {
  // A large circle can handle this rate as well, with slack: the load is less, or the CPUs have been moved.
  easy_windows_ = is_small_ && rate < kLargeGain * large_rate_ ? easy_windows_ + 1 : 0;
  if (easy_windows_ >= kEasyWindows) return be_large(now_tsc);
  if (!is_flood) return be_steady();
  if (windows_ == kWindows) sum_ -= sum_ / windows_--;
  windows_++;
  sum_ += rate;
  if (windows_ >= kWindows && is_steady && now_tsc >= try_after_) begin_trial();
}

void WorkingSet::begin_trial() {
  before_ = sum_ / windows_;
  if (!is_small_) large_rate_ = before_;
  change(State::trying);
}

// Measures the other circle, and then the former one again: what has changed by itself meanwhile is no gain. A window
// in which the machine stalled does not count.
void WorkingSet::measure(double rate, bool is_flood, bool is_disturbed, uint64_t now_tsc) {
  if (!is_small_ && !is_flood) return be_large(now_tsc);
  if (is_disturbed) {
    if (++disturbed_ >= kMostDisturbed) end_trial(false, now_tsc);
    return;
  }
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

// Whether the circle tried last is better than the other one with the rate `than`.
bool WorkingSet::is_better(double than) const { return tried_ > (tried_small() ? kSmallGain : kLargeGain) * than; }

void WorkingSet::end_trial(bool is_better, uint64_t now_tsc) {
  is_small_ = is_better ? tried_small() : !tried_small();
  wait(is_better ? kLeastWaitSeconds : std::min(2 * wait_seconds_, kMostWaitSeconds), now_tsc);
}

void WorkingSet::be_large(uint64_t now_tsc) {
  is_small_ = false;
  easy_windows_ = 0;
  wait(kLeastWaitSeconds, now_tsc);
}

void WorkingSet::wait(uint64_t seconds, uint64_t now_tsc) {
  wait_seconds_ = seconds;
  try_after_ = now_tsc + seconds * tsc_hz_;
  be_steady();
}

void WorkingSet::change(State state) {
  is_small_ = !is_small_;
  be_steady();
  state_ = state;
}

void WorkingSet::be_steady() {
  state_ = State::steady;
  windows_ = 0;
  disturbed_ = 0;
  sum_ = 0;
}

}  // namespace dpcap
