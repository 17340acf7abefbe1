// How long the drain thread sleeps between two looks at its rings.
#pragma once
#include <cstdint>

namespace dpcap {

// Under load it does not sleep; with little traffic it does, and longer the longer nothing comes, up to where waking up
// takes a small share of a core. For the thread that calls it.
class Pacer {
 public:
  // `found`: there were packets in the last round; `is_busy`: many. `is_urgent`: what is found late is stamped late.
  void pause(bool is_busy, bool found, bool is_urgent);

 private:
  void measure_wakes();

  uint32_t sleep_us_ = 0;
  uint32_t idle_sleep_us_ = 500;  // the longest sleep; adapted to what a wake-up costs here
  uint32_t wakes_ = 0;
  uint64_t wakes_cpu_ns_ = 0;
};

}  // namespace dpcap
