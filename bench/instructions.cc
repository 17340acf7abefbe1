// The work on prepared packets, for callgrind to count, with `bench_instructions drain|merge plain|stamped pcap|pcapng
// BYTES`: a drain thread takes copies out of a ring and writes them to /dev/null; or a merging thread takes what two
// drain threads have recorded, in bursts by turns.
#include <fcntl.h>
#include <rte_eal.h>
#include <rte_mbuf.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/thread.h"
#include "capture/drain.h"
#include "capture/merge_thread.h"
#include "mbuf/mbuf_packet.h"
#include "pdump/memory/copy_ring.h"
#include "pdump/reader/pdump_poller.h"
#include "sink/file_sink.h"

using namespace dpcap;

namespace {

constexpr uint32_t kPackets = 8000;
constexpr uint32_t kBurst = 32;

void start_eal() {
  const std::string prefix = "--file-prefix=dpcap-bench-" + std::to_string(getpid());
  const char* words[] = {"bench", prefix.c_str(),   "--no-huge",   "--no-pci", "-m",
                         "128",   "--no-telemetry", "--no-shconf", "-l",       "0"};
  std::vector<char*> argv;
  for (const char* word : words) argv.push_back(const_cast<char*>(word));
  if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) throw Error("ERR_EAL_INIT", "cannot start EAL");
}

rte_mbuf* make_copy(CaptureMempool& pool, CopyMode mode, uint32_t size, uint32_t stamp) {
  rte_mbuf* mbuf = rte_pktmbuf_alloc(pool.get());
  const uint32_t head_bytes = mode == CopyMode::stamped ? sizeof(StampedHead) : 0;
  memset(rte_pktmbuf_append(mbuf, static_cast<uint16_t>(head_bytes + size)), 0, head_bytes + size);
  if (mode == CopyMode::stamped) {
    const StampedHead head{6, head_bytes + size, 0, 0, stamp, size, size};
    memcpy(rte_pktmbuf_mtod(mbuf, void*), &head, sizeof head);
  }
  return mbuf;
}

struct Bench {
  Bench(CopyMode mode_, FileFormat format_, uint32_t size_)
      : mode(mode_),
        format(format_),
        size(size_),
        pieces("bench"),
        pool("bench", {16383, 16383, 2248}, pieces),
        lane(0, {"bench", 0, 0, Direction::rx}, 0),
        ledger(1),
        counters(ledger),
        file(open("/dev/null", O_WRONLY), {format, 0, {}, Priority::normal}, counters) {
    pool.grow(UINT32_MAX, pool.planned());
    pool.open();
  }
  FileOptions options() const { return {format, true, 262144}; }

  void drain() {
    PdumpLane copied(lane, ledger[0], make_copy_ring(pieces, pool.most()));
    for (uint32_t i = 0; i < kPackets; i++) rte_ring_enqueue(copied.ring, make_copy(pool, mode, size, i));
    const std::vector<Filters> filters{{Interpreter({}), Interpreter({})}};
    Limit limit(0);
    Admission admission(ledger, limit, file);
    SharedClock clock(machine_time(), StampClock::Stamps::primary_ns);
    auto writer = std::make_unique<RecordWriter>(options(), mode, file);
    const Gaps gaps = format == FileFormat::pcapng ? Gaps::told : Gaps::untold;
    auto poller = std::make_unique<PdumpPoller>(std::vector<PdumpLane*>{&copied},
                                                PollerShare{mode, filters, pool, clock, 1, nullptr, gaps},
                                                std::move(writer), file, admission);
    Drain drain(std::move(poller), file, 1);
    drain.start(Priority::normal);
    drain.stop();  // empties the ring first
  }

  void merge() {
    MergeThread merge(options(), counters, file);
    RecordSink* queues[] = {&merge.add_queue(), &merge.add_queue()};
    rte_mbuf* mbufs[kBurst];
    for (uint32_t i = 0; i < kBurst; i++) mbufs[i] = make_copy(pool, mode, size, 0);
    for (uint64_t turn = 0; turn < kPackets / kBurst; turn++) {
      const std::vector<uint64_t> times(kBurst, turn);
      RecordWriter(options(), mode, *queues[turn % 2]).put({lane, mbufs, times.data(), kBurst});
    }
    for (RecordSink* queue : queues) queue->leave();
    merge.start(Priority::normal);
    merge.stop();  // empties the queues first
  }

  const CopyMode mode;
  const FileFormat format;
  const uint32_t size;
  SharedPieces pieces;
  CaptureMempool pool;
  Lane lane;
  Ledger ledger;
  SinkCounters counters;
  FileSink file;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: bench_instructions drain|merge plain|stamped pcap|pcapng BYTES\n");
    return 2;
  }
  start_eal();
  const CpuAffinityScope two({0, 1});  // with one CPU, which EAL binds this thread to, the drain writes by itself
  Bench bench(strcmp(argv[2], "plain") == 0 ? CopyMode::plain : CopyMode::stamped,
              strcmp(argv[3], "pcap") == 0 ? FileFormat::pcap : FileFormat::pcapng,
              static_cast<uint32_t>(atoi(argv[4])));
  if (strcmp(argv[1], "merge") == 0) {
    bench.merge();
  } else {
    bench.drain();
  }
  bench.file.finish({});
  std::filesystem::remove_all(rte_eal_get_runtime_dir());
  printf("%u\n", kPackets);
  return 0;
}
