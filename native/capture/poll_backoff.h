// How long the drain thread sleeps between two looks at its rings.
#pragma once
#include <cstddef>
#include <cstdint>

namespace dpcap {

// For the thread that calls it.
class PollBackoff {
 public:
  static constexpr uint32_t kUrgentUs = 100;   // where what is found late is late for somebody
  static constexpr uint32_t kMbufsPerUs = 12;  // a burst that is not to empty the mempool while the drain sleeps

  // `mbufs`: how many there are for what comes in while it sleeps. `threads`: how many do the same, and share these and
  // what an idle capture may cost.
  PollBackoff(uint32_t mbufs, size_t threads);

  // Instead of sleep(): there was so much to do that the next look follows at once.
  void go_on() { wakes_ = 0; }
  // Sleeps as long as makes waking up a small share of a core, but no longer than `most_us`. `found`: the look before
  // found something.
  void sleep(bool found, uint32_t most_us);
  // How long that is at present.
  uint32_t sleep_us() const { return idle_sleep_us_; }

 private:
  void measure_wakes();

  const uint32_t longest_us_;
  const double idle_share_;
  uint32_t idle_sleep_us_ = 500;  // adapted to what a wake-up costs here
  uint32_t wakes_ = 0;
  uint64_t wakes_cpu_ns_ = 0;
};

}  // namespace dpcap
