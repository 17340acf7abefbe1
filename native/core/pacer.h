// How long the drain thread sleeps between two looks at its rings.
#pragma once
#include <cstddef>
#include <cstdint>

namespace dpcap {

// After many packets it does not sleep. Else it does, as long as makes waking up a small share of a core, unless what
// is found late is stamped late. For the thread that calls it.
class Pacer {
 public:
  // `mbufs`: how many there are for what comes in while it sleeps. `threads`: how many do the same, and share these and
  // what an idle capture may cost.
  Pacer(uint32_t mbufs, size_t threads);

  // Of the round before: `is_busy`: it found many packets; `found`: any. `is_urgent`: what is found late is stamped
  // late.
  void pause(bool is_busy, bool found, bool is_urgent);

 private:
  void measure_wakes();

  const uint32_t longest_us_;
  const double idle_share_;
  uint32_t idle_sleep_us_ = 500;  // adapted to what a wake-up costs here
  uint32_t wakes_ = 0;
  uint64_t wakes_cpu_ns_ = 0;
};

}  // namespace dpcap
