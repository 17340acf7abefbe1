// What a TAP interface takes at most: `tap_write NAME SECONDS BYTES` writes the same frame to it in a loop, on one
// thread, and prints how many packets a second it took, and the nanoseconds of CPU for each.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "base/error.h"
#include "sink/interface/tap_device.h"

namespace {

constexpr int kBurst = 1024;  // writes between two looks at the clock

double cpu_ns() {
  timespec used;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) * 1e9 + static_cast<double>(used.tv_nsec);
}

void fill(int fd, const std::vector<unsigned char>& frame, double seconds) {
  using clock = std::chrono::steady_clock;
  const auto began = clock::now();
  const double cpu_began = cpu_ns();
  double elapsed = 0;
  long packets = 0;
  while (elapsed < seconds) {
    for (int i = 0; i < kBurst; i++) packets += write(fd, frame.data(), frame.size()) > 0;
    elapsed = std::chrono::duration<double>(clock::now() - began).count();
  }
  const auto count = static_cast<double>(packets);
  printf("%.0f %.0f\n", count / elapsed, (cpu_ns() - cpu_began) / count);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: tap_write NAME SECONDS BYTES\n");
    return 2;
  }
  try {
    const int fd = dpcap::create_tap({argv[1], "", 9216, 1}).front();
    fill(fd, std::vector<unsigned char>(static_cast<size_t>(atoi(argv[3]))), atof(argv[2]));
    return 0;
  } catch (const dpcap::Error& error) {
    fprintf(stderr, "tap_write: %s\n", error.what());
    return 1;
  }
}
