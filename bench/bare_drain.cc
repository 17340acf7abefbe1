// The most that any tool could capture: `bare_drain PREFIX DEVICE plain|stamped MBUFS DATA_ROOM SECONDS` takes all
// copies of transmitted packets out of their ring and frees them, and prints how many a second.
//
// For a primary with the same order of mempool handlers, such as bench/primary.c.
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/eal.h"
#include "core/error.h"
#include "core/pdump.h"
#include "core/shared_memory.h"

using namespace dpcap;

namespace {

constexpr int kTimeoutMs = 5000;
constexpr uint32_t kBurst = 512;

double drain(CopyRing& ring, CopyPool& pool, double seconds) {
  rte_mbuf* burst[kBurst];
  uint64_t packets = 0;
  const uint64_t start = rte_get_tsc_cycles();
  const auto ticks = static_cast<uint64_t>(seconds * static_cast<double>(rte_get_tsc_hz()));
  while (rte_get_tsc_cycles() - start < ticks) {
    const uint32_t found = rte_ring_sc_dequeue_burst(ring.get(), reinterpret_cast<void**>(burst), kBurst, nullptr);
    if (found != 0) pool.give_back(burst, found);
    packets += found;
  }
  return static_cast<double>(packets) / seconds;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    fprintf(stderr, "usage: bare_drain PREFIX DEVICE plain|stamped MBUFS DATA_ROOM SECONDS\n");
    return 2;
  }
  try {
    attach({argv[1]});
    const PdumpTarget target{argv[2], 0, Direction::tx};
    const CopyMode mode = strcmp(argv[3], "plain") == 0 ? CopyMode::plain : CopyMode::stamped;
    CopyPool pool("bare_drain", static_cast<uint32_t>(atoi(argv[4])), static_cast<uint32_t>(atoi(argv[5])));
    CopyRing ring("bare_drain", pool.mbufs() + 1);
    const Reply reply = pdump_enable(target, {mode, 262144, ring.get(), pool.get(), nullptr}, kTimeoutMs);
    if (reply.outcome != Outcome::done) throw Error("ERR_ENABLE_FAILED", "the primary refused", reply.err);
    pool.open();
    drain(ring, pool, 0.5);  // until the memory is warm
    printf("%.0f\n", drain(ring, pool, atof(argv[6])));
    pdump_disable(target, kTimeoutMs);
    usleep(100'000);  // bench/primary.c is out of its callback by then
    drain(ring, pool, 0.01);
    return 0;
  } catch (const Error& error) {
    fprintf(stderr, "bare_drain: %s\n", error.what());
    return 1;
  }
}
