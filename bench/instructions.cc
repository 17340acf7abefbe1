// The drain's work on prepared packets, for callgrind to count: `bench_instructions plain|stamped pcap|pcapng BYTES`
// puts PACKETS copies into a ring and lets a drain thread write them to /dev/null.
#include <fcntl.h>
#include <rte_eal.h>
#include <rte_mbuf.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "core/drain.h"
#include "core/error.h"
#include "core/file_sink.h"
#include "core/packet.h"

using namespace dpcap;

namespace {

constexpr uint32_t kPackets = 8000;

void start_eal() {
  const std::string prefix = "--file-prefix=dpcap-bench-" + std::to_string(getpid());
  const char* words[] = {"bench", prefix.c_str(),   "--no-huge",   "--no-pci", "-m",
                         "128",   "--no-telemetry", "--no-shconf", "-l",       "0"};
  std::vector<char*> argv;
  for (const char* word : words) argv.push_back(const_cast<char*>(word));
  if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) throw Error("ERR_EAL_INIT", "cannot start EAL");
}

void enqueue_copies(CopyPool& pool, CopyRing& ring, CopyMode mode, uint32_t size) {
  for (uint32_t i = 0; i < kPackets; i++) {
    rte_mbuf* mbuf = rte_pktmbuf_alloc(pool.get());
    const uint32_t head_bytes = mode == CopyMode::stamped ? sizeof(StampedHead) : 0;
    memset(rte_pktmbuf_append(mbuf, static_cast<uint16_t>(head_bytes + size)), 0, head_bytes + size);
    if (mode == CopyMode::stamped) {
      const StampedHead head{6, head_bytes + size, 0, 0, i, size, size};
      memcpy(rte_pktmbuf_mtod(mbuf, void*), &head, sizeof head);
    }
    rte_ring_enqueue(ring.get(), mbuf);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: bench_instructions plain|stamped pcap|pcapng BYTES\n");
    return 2;
  }
  const CopyMode mode = strcmp(argv[1], "plain") == 0 ? CopyMode::plain : CopyMode::stamped;
  const FileFormat format = strcmp(argv[2], "pcap") == 0 ? FileFormat::pcap : FileFormat::pcapng;
  start_eal();
  CopyPool pool("bench", {16383, 16383, 2248});
  pool.open();
  Lane lane(0, {"bench", 0, Direction::rx}, 0, 0, CopyRing("bench", pool.mbufs() + 1));
  enqueue_copies(pool, lane.ring, mode, static_cast<uint32_t>(atoi(argv[3])));
  SinkFigures figures(1);
  FileSink sink(open("/dev/null", O_WRONLY), {{format, true, 262144}, mode, 0, {}, false}, figures);
  const Filters filters{Interpreter({}), Interpreter({})};
  Limit limit(0);
  Drain drain({&lane}, mode, filters, pool, sink, limit, 1);
  drain.start(false);
  drain.stop();  // empties the ring first
  sink.finish({});
  std::filesystem::remove_all(rte_eal_get_runtime_dir());
  printf("%llu\n", static_cast<unsigned long long>(lane.recorded));
  return 0;
}
