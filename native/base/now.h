// Reads a clock. Any thread.
#pragma once
#include <cstdint>
#include <ctime>

namespace dpcap {

inline uint64_t now_ns(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000ull + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace dpcap
