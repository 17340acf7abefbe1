#include "core/pacer.h"

#include <algorithm>
#include <ctime>

#include "core/now.h"

namespace dpcap {
namespace {

constexpr uint32_t kUrgentSleepUs = 100;
// The longest sleep: so that a burst of 12 million packets a second does not empty the mempool.
constexpr uint32_t kMbufsPerUs = 12;
constexpr uint32_t kLeastLongSleepUs = 1000, kMostLongSleepUs = 6000;
constexpr double kIdleShare = 0.005;  // of a core, for an idle capture
constexpr uint32_t kWakesPerMeasure = 256;

}  // namespace

Pacer::Pacer(uint32_t mbufs, size_t threads)
    : longest_us_(
          std::clamp(mbufs / (kMbufsPerUs * static_cast<uint32_t>(threads)), kLeastLongSleepUs, kMostLongSleepUs)),
      idle_share_(kIdleShare / static_cast<double>(threads)) {}

void Pacer::pause(bool is_busy, bool found, bool is_urgent) {
  if (is_busy) {
    wakes_ = 0;
    return;
  }
  const uint32_t us = is_urgent ? kUrgentSleepUs : idle_sleep_us_;
  const timespec sleep = {0, static_cast<long>(us) * 1000};
  nanosleep(&sleep, nullptr);
  if (!found) measure_wakes();
}

// A wake-up costs 3 us of CPU on a plain machine and 20 in a virtual one: sleep as short as the idle share allows.
void Pacer::measure_wakes() {
  if (wakes_++ == 0) wakes_cpu_ns_ = now_ns(CLOCK_THREAD_CPUTIME_ID);
  if (wakes_ <= kWakesPerMeasure) return;
  const double us_per_wake =
      static_cast<double>(now_ns(CLOCK_THREAD_CPUTIME_ID) - wakes_cpu_ns_) / kWakesPerMeasure / 1000;
  idle_sleep_us_ = std::clamp(static_cast<uint32_t>(us_per_wake / idle_share_), kUrgentSleepUs, longest_us_);
  wakes_ = 0;
}

}  // namespace dpcap
