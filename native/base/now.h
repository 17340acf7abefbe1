// Reads a clock, and says what was seen of it. Any thread.
#pragma once
#include <cstdint>
#include <ctime>

namespace dpcap {

inline uint64_t now_ns(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000ull + static_cast<uint64_t>(now.tv_nsec);
}

// How often the system clock was set while a capture ran, and by how much in all.
struct ClockSteps {
  uint32_t count;
  int64_t total_ns;
};

}  // namespace dpcap
