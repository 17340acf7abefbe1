// How long the drain thread sleeps between two looks at its rings, and the merge thread between two looks at its
// queues. Runs on the thread that sleeps.
#pragma once
#include <cstddef>
#include <cstdint>

namespace dpcap {

// Each thread has its own.
class PollBackoff {
 public:
  static constexpr uint32_t kUrgentUs = 100;   // used where a packet that is found late is late for somebody
  static constexpr uint32_t kMbufsPerUs = 12;  // a burst of this rate must not empty the mempool during a sleep

  // `mbufs`: how many there are for what comes in during a sleep. `threads`: how many threads do the same, and share
  // these mbufs and what an idle capture may cost.
  PollBackoff(uint32_t mbufs, size_t threads);

  // Called instead of a sleep: there was so much to do that the next look follows at once.
  void go_on() { wakes_ = 0; }
  // Sleeps for so long that waking up takes a small share of a core, but no longer than `most_us`.
  void sleep(uint32_t most_us);
  // Does the same after a look that found nothing, and learns what a wake-up costs here.
  void sleep_idle(uint32_t most_us);
  // How long a sleep is at present, where `most_us` allows it.
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
