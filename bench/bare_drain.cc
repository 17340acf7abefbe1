// The most that any tool could capture: `bare_drain PREFIX DEVICE plain|stamped MBUFS DATA_ROOM SECONDS [read]` takes
// all copies of transmitted packets out of their ring and frees them, and prints how many a second. With `read` it
// looks at the packets' bytes before it does, which moves them from the primary's cache into its own.
//
// For a primary with the same order of mempool handlers, such as bench/primary.c.
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "pdump/client.h"
#include "pdump/memory/copy_ring.h"
#include "pdump/memory/mempool.h"
#include "primary/eal.h"
#include "primary/ports.h"

using namespace dpcap;

namespace {

constexpr int kTimeoutMs = 5000;
constexpr uint32_t kBurst = 512;

uint64_t bytes_seen = 0;

void read_packets(rte_mbuf** burst, uint32_t count) {
  constexpr uint32_t kAhead = 16;
  for (uint32_t i = 0; i < count + 2 * kAhead; i++) {
    if (i < count) rte_prefetch0(burst[i]);
    if (i >= kAhead && i - kAhead < count) rte_prefetch0(rte_pktmbuf_mtod(burst[i - kAhead], const uint8_t*));
    if (i < 2 * kAhead) continue;
    const rte_mbuf* mbuf = burst[i - 2 * kAhead];
    for (uint32_t at = 0; at < mbuf->data_len; at += RTE_CACHE_LINE_SIZE) {
      bytes_seen += *rte_pktmbuf_mtod_offset(mbuf, const volatile uint8_t*, at);
    }
  }
}

double drain(rte_ring* ring, CaptureMempool& pool, double seconds, bool reads) {
  rte_mbuf* burst[kBurst];
  uint64_t packets = 0;
  const uint64_t start = rte_get_tsc_cycles();
  const auto ticks = static_cast<uint64_t>(seconds * static_cast<double>(rte_get_tsc_hz()));
  while (rte_get_tsc_cycles() - start < ticks) {
    const uint32_t found = rte_ring_sc_dequeue_burst(ring, reinterpret_cast<void**>(burst), kBurst, nullptr);
    if (reads) read_packets(burst, found);
    if (found != 0) pool.give_back(burst, found);
    packets += found;
  }
  return static_cast<double>(packets) / seconds;
}

uint16_t port_of(const std::string& device) {
  for (const Port& port : list_ports()) {
    if (port.name == device) return port.id;
  }
  throw Error("ERR_PORT_UNKNOWN", "there is no device " + device);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7 && argc != 8) {
    fprintf(stderr, "usage: bare_drain PREFIX DEVICE plain|stamped MBUFS DATA_ROOM SECONDS [read]\n");
    return 2;
  }
  try {
    attach({argv[1]});
    const LaneId lane{argv[2], port_of(argv[2]), 0, Direction::tx};
    const CopyMode mode = strcmp(argv[3], "plain") == 0 ? CopyMode::plain : CopyMode::stamped;
    const auto mbufs = static_cast<uint32_t>(atoi(argv[4]));
    SharedPieces pieces("bare_drain");
    CaptureMempool pool("bare_drain", {mbufs, mbufs, static_cast<uint32_t>(atoi(argv[5]))}, pieces);
    rte_ring* ring = make_copy_ring(pieces, pool.most());
    pool.grow(UINT32_MAX, mbufs);
    const Reply reply = pdump_enable(lane, {mode, 262144, ring, pool.get(), nullptr}, kTimeoutMs);
    if (reply.outcome != Outcome::done) throw Error("ERR_ENABLE_FAILED", "the primary refused", reply.err);
    pool.open();
    drain(ring, pool, 0.5, argc == 8);  // until the memory is warm
    printf("%.0f\n", drain(ring, pool, atof(argv[6]), argc == 8));
    pdump_disable(lane, kTimeoutMs);
    usleep(100'000);  // bench/primary.c is out of its callback by then
    drain(ring, pool, 0.01, false);
    pieces.give_back();
    pool.free();
    return 0;
  } catch (const Error& error) {
    fprintf(stderr, "bare_drain: %s\n", error.what());
    return 1;
  }
}
