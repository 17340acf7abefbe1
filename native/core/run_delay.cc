#include "core/run_delay.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <ctime>

#include "core/now.h"

namespace dpcap {

RunDelay::RunDelay() : fd_(open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)) { share(); }

RunDelay::~RunDelay() {
  if (fd_ >= 0) close(fd_);
}

double RunDelay::share() {
  char text[96] = {};
  uint64_t waited_ns;
  // "time on a CPU, time waiting for one, time slices" (proc-schedstat)
  if (fd_ < 0 || pread(fd_, text, sizeof text - 1, 0) <= 0 || sscanf(text, "%*u %" SCNu64, &waited_ns) != 1) return 0;
  const uint64_t at_ns = now_ns(CLOCK_MONOTONIC);
  const double share = static_cast<double>(waited_ns - waited_ns_) / static_cast<double>(at_ns - at_ns_);
  waited_ns_ = waited_ns;
  at_ns_ = at_ns;
  return std::clamp(share, 0.0, 1.0);
}

}  // namespace dpcap
