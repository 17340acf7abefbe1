// How far the system clock is ahead of the steady one. Any thread.
#pragma once
#include <cstdint>
#include <ctime>

namespace dpcap {

struct WallOffset {
  int64_t ns;         // CLOCK_REALTIME less CLOCK_MONOTONIC
  uint64_t doubt_ns;  // by how much that may be wrong
};

// A thread that loses its CPU between two looks at clocks would take that time for a clock that was set. So the one
// clock is read between two looks at the other, and again when these are far from one another, a few times.
template <typename Read>
WallOffset read_wall_offset(Read read) {
  constexpr int kTries = 5;
  constexpr uint64_t kCloseNs = 20'000;
  WallOffset best{0, UINT64_MAX};
  for (int i = 0; i < kTries && best.doubt_ns > kCloseNs; i++) {
    const uint64_t before = read(CLOCK_MONOTONIC);
    const uint64_t wall = read(CLOCK_REALTIME);
    const uint64_t took = read(CLOCK_MONOTONIC) - before;
    if (took < best.doubt_ns) best = {static_cast<int64_t>(wall - before - took / 2), took};
  }
  return best;
}

}  // namespace dpcap
