// How far two CPUs are apart: ns for a cache line to go there and back. `round_trip CPU CPU`. A virtual machine's CPUs
// are moved by its host, onto one die or two, and everything that goes from core to core becomes several times slower.
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned kTrips = 1000;
constexpr int kRounds = 201;
constexpr unsigned kEnd = 1u << 31;

alignas(128) std::atomic<unsigned> ping{0};
alignas(128) std::atomic<unsigned> pong{0};

void bind_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) exit(1);
}

void answer() {
  for (unsigned wanted = 1;; wanted++) {
    unsigned seen;
    while ((seen = ping.load(std::memory_order_acquire)) < wanted) {
    }
    if (seen == kEnd) return;
    pong.store(wanted, std::memory_order_release);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: round_trip CPU CPU\n");
    return 2;
  }
  std::thread other([&] {
    bind_to(atoi(argv[2]));
    answer();
  });
  bind_to(atoi(argv[1]));
  std::vector<double> ns;
  unsigned trip = 0;
  for (int round = 0; round < kRounds; round++) {
    const auto start = Clock::now();
    for (unsigned i = 0; i < kTrips; i++) {
      ping.store(++trip, std::memory_order_release);
      while (pong.load(std::memory_order_acquire) != trip) {
      }
    }
    ns.push_back(std::chrono::duration<double, std::nano>(Clock::now() - start).count() / kTrips);
  }
  ping.store(kEnd, std::memory_order_release);
  other.join();
  std::nth_element(ns.begin(), ns.begin() + kRounds / 2, ns.end());
  printf("%.0f\n", ns[kRounds / 2]);
  return 0;
}
