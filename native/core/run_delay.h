// How long the kernel lets a thread wait for a CPU.
#pragma once
#include <cstdint>

namespace dpcap {

// For the thread that made it.
class RunDelay {
 public:
  RunDelay();
  ~RunDelay();
  RunDelay(const RunDelay&) = delete;
  RunDelay& operator=(const RunDelay&) = delete;

  // The share of the time since the last call that the thread was ready to run and did not, 0 to 1; 0 when the kernel
  // does not tell (no CONFIG_SCHED_INFO).
  double share();

 private:
  int fd_;
  uint64_t waited_ns_ = 0;
  uint64_t at_ns_ = 0;
};

}  // namespace dpcap
