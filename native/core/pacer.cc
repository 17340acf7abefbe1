#include "core/pacer.h"

#include <algorithm>
#include <ctime>

namespace dpcap {
namespace {

constexpr uint32_t kUrgentSleepUs = 100;
constexpr uint32_t kLongSleepUs = 3000;  // in which 10 million packets a second fill less than half of the mempool
constexpr double kIdleShare = 0.005;     // of a core, for an idle capture
constexpr uint32_t kWakesPerMeasure = 256;

uint64_t thread_cpu_ns() {
  timespec used;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return used.tv_sec * 1000000000ull + used.tv_nsec;
}

}  // namespace

void Pacer::pause(bool is_busy, bool found, bool is_urgent) {
  if (is_busy) return;
  sleep(is_urgent ? kUrgentSleepUs : idle_sleep_us_);
  if (!found) measure_wakes();
}

void Pacer::sleep(uint32_t us) {
  const timespec pause = {0, static_cast<long>(us) * 1000};
  nanosleep(&pause, nullptr);
}

// A wake-up costs 3 us of CPU on a plain machine and 20 in a virtual one: sleep as short as kIdleShare allows.
void Pacer::measure_wakes() {
  if (++wakes_ < kWakesPerMeasure) return;
  const uint64_t used = thread_cpu_ns();
  const double us_per_wake = static_cast<double>(used - wakes_cpu_ns_) / wakes_ / 1000;
  idle_sleep_us_ = std::clamp(static_cast<uint32_t>(us_per_wake / kIdleShare), kUrgentSleepUs, kLongSleepUs);
  wakes_cpu_ns_ = used;
  wakes_ = 0;
}

}  // namespace dpcap
