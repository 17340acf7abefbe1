#include "capture/poll_backoff.h"

#include <algorithm>
#include <ctime>

#include "base/now.h"

namespace dpcap {
namespace {

// Limits of the longest sleep, which is such that a burst does not empty the mempool.
constexpr uint32_t kLeastLongSleepUs = 1000, kMostLongSleepUs = 6000;
constexpr double kIdleShare = 0.005;  // of a core, which an idle capture may use
constexpr uint32_t kWakesPerMeasure = 256;

}  // namespace

PollBackoff::PollBackoff(uint32_t mbufs, size_t threads)
    : longest_us_(
          std::clamp(mbufs / (kMbufsPerUs * static_cast<uint32_t>(threads)), kLeastLongSleepUs, kMostLongSleepUs)),
      idle_share_(kIdleShare / static_cast<double>(threads)) {}

void PollBackoff::sleep(uint32_t most_us) {
  const timespec time = {0, static_cast<long>(std::min(most_us, idle_sleep_us_)) * 1000};
  nanosleep(&time, nullptr);
}

void PollBackoff::sleep_idle(uint32_t most_us) {
  sleep(most_us);
  measure_wakes();
}

// A wake-up costs 3 us of CPU time on a plain machine and 20 in a virtual one: the sleep is as short as the idle share
// allows.
void PollBackoff::measure_wakes() {
  if (wakes_++ == 0) wakes_cpu_ns_ = now_ns(CLOCK_THREAD_CPUTIME_ID);
  if (wakes_ <= kWakesPerMeasure) return;
  const double us_per_wake =
      static_cast<double>(now_ns(CLOCK_THREAD_CPUTIME_ID) - wakes_cpu_ns_) / kWakesPerMeasure / 1000;
  idle_sleep_us_ = std::clamp(static_cast<uint32_t>(us_per_wake / idle_share_), kUrgentUs, longest_us_);
  wakes_ = 0;
}

}  // namespace dpcap
