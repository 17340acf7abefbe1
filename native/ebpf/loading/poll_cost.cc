#include "ebpf/loading/poll_cost.h"

#include <unistd.h>

#include <algorithm>

#include "base/now.h"

namespace dpcap {
namespace {

constexpr int kPolls = 32;  // few enough to be done before something else has its turn
constexpr int kRounds = 100;
constexpr uint64_t kQueue = 0x1000;        // an address that no queue has
constexpr uint32_t kProcess = UINT32_MAX;  // a number that no process of a capture has

// Polls as a driver without packets does. It is called by its address, so that no compiler calls a clone of it.
uint16_t poll_nothing(const void*, void**, uint16_t) { return 0; }
uint16_t (*volatile poll)(const void*, void**, uint16_t) = poll_nothing;

// Returns the time of one, in the quickest of some rounds: what else runs here is not what is measured.
double time_poll_ns() {
  uint64_t best = UINT64_MAX;
  for (int round = 0; round < kRounds; round++) {
    const uint64_t begin = now_ns(CLOCK_MONOTONIC);
    for (int i = 0; i < kPolls; i++) poll(reinterpret_cast<const void*>(kQueue), nullptr, 32);
    best = std::min(best, now_ns(CLOCK_MONOTONIC) - begin);
  }
  return static_cast<double>(best) / kPolls;
}

}  // namespace

double poll_cost_ns(KernelProgram& program, uint32_t lane) {
  const dpcap_probe_queue queue{kQueue, DPCAP_PROBE_RX, kProcess};
  const CodePlace place = code_place(getpid(), reinterpret_cast<uint64_t>(&poll_nothing));
  const double alone = time_poll_ns();
  program.add_queue(queue, lane);
  const auto probe = program.attach(DPCAP_PROBE_RX, getpid(), kProcess, place);
  const double probed = time_poll_ns();
  program.remove_queue(queue);
  return std::max(0.0, probed - alone);
}

double poll_cost_ns() {
  constexpr uint64_t kSmallRing = 64 * 1024;
  KernelProgram program({1, kSmallRing, 64});
  return poll_cost_ns(program, 0);
}

}  // namespace dpcap
