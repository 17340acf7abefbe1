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

using Poll = uint16_t(const void* queue, void** packets, uint16_t count);

// Polls as a driver without packets does. Its first instruction is none that the kernel carries out.
uint16_t poll_nothing(const void*, void**, uint16_t) { return 0; }

#ifdef __x86_64__
// The same, beginning with a push. No compiler promises that of a function.
extern "C" Poll dpcap_poll_with_push;
asm(".pushsection .text\n"
    ".type dpcap_poll_with_push, @function\n"
    "dpcap_poll_with_push:\n"
    "  push %rbx\n"
    "  xor %eax, %eax\n"
    "  pop %rbx\n"
    "  ret\n"
    ".size dpcap_poll_with_push, . - dpcap_poll_with_push\n"
    ".popsection");
#else
constexpr Poll* dpcap_poll_with_push = poll_nothing;  // a function there has no entry of this kind
#endif

// Returns the time of one, in the quickest of some rounds: what else runs here is not what is measured.
double time_poll_ns(Poll* function) {
  Poll* volatile poll = function;  // called by its address, so that no compiler calls a clone of it

  uint64_t best = UINT64_MAX;
  for (int round = 0; round < kRounds; round++) {
    const uint64_t begin = now_ns(CLOCK_MONOTONIC);
    for (int i = 0; i < kPolls; i++) poll(reinterpret_cast<const void*>(kQueue), nullptr, 32);
    best = std::min(best, now_ns(CLOCK_MONOTONIC) - begin);
  }
  return static_cast<double>(best) / kPolls;
}

}  // namespace

double poll_cost_ns(KernelProgram& program, uint32_t lane, Entry entry) {
  Poll* const function = entry == Entry::simulated ? dpcap_poll_with_push : poll_nothing;
  const dpcap_probe_queue queue{kQueue, DPCAP_PROBE_RX, kProcess};
  const CodePlace place = code_place(getpid(), reinterpret_cast<uint64_t>(function));
  const double alone = time_poll_ns(function);
  program.add_queue(queue, lane);
  const auto probe = program.attach(DPCAP_PROBE_RX, getpid(), kProcess, place);
  const double probed = time_poll_ns(function);
  program.remove_queue(queue);
  return std::max(0.0, probed - alone);
}

double poll_cost_ns(Entry entry) {
  constexpr uint64_t kSmallRing = 64 * 1024;
  KernelProgram program({1, kSmallRing, 64});
  return poll_cost_ns(program, 0, entry);
}

}  // namespace dpcap
