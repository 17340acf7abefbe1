// The agent's work on prepared packets, for callgrind to count, with `bench_agent_instructions callback|drain
// pcap|pcapng BYTES [FILTER]`: a thread of the application is in the agent's receive callback; or a drain thread passes
// what that has published on to /dev/null. FILTER is a program in hexadecimal digits.
extern "C" {
#include "agent/library/datapath/lane.h"
#include "agent/library/dpdk.h"
#include "agent/library/memory.h"
}

#include <fcntl.h>
#include <rte_ethdev.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "agent/agent_poller.h"
#include "base/error.h"
#include "base/thread.h"
#include "capture/drain.h"
#include "capture/limit.h"
#include "sink/file_sink.h"

using namespace dpcap;

namespace {

constexpr uint32_t kPackets = 8000;
constexpr uint32_t kBurst = 32;
constexpr uint64_t kMemory = 64 << 20;
constexpr uint32_t kSnaplen = 262144;
constexpr uint64_t kTscHz = 2'000'000'000;

rte_rx_callback_fn callback;
void* callback_lane;

// The functions of DPDK with which a lane's callback is put in place.
void stand_in_for_dpdk() {
  dpdk.add_rx = [](uint16_t, uint16_t, rte_rx_callback_fn given, void* lane) {
    callback = given;
    callback_lane = lane;
    return reinterpret_cast<const rte_eth_rxtx_callback*>(&callback);
  };
  dpdk.is_valid_port = [](uint16_t) { return 1; };
  dpdk.on_event = [](uint16_t, rte_eth_event_type, rte_eth_dev_cb_fn, void*) { return 0; };
}

std::vector<uint8_t> from_hex(const char* digits) {
  std::vector<uint8_t> bytes(strlen(digits) / 2);
  for (size_t i = 0; i < bytes.size(); i++)
    bytes[i] = static_cast<uint8_t>(std::stoul(std::string(digits + 2 * i, 2), nullptr, 16));
  return bytes;
}

// A burst of UDP packets to port 9.
class Packets {
 public:
  explicit Packets(uint16_t size) : bytes_(size) {
    const uint8_t head[] = {2, 0, 0,  0,  0, 1, 2,  0, 0, 0, 0,  2, 8, 0, 0x45, 0, 0, 50, 0, 0,
                            0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0,    9, 0, 9,  0, 30};
    memcpy(bytes_.data(), head, sizeof head);
    for (uint32_t i = 0; i < kBurst; i++) {
      memset(static_cast<void*>(&mbufs_[i]), 0, sizeof mbufs_[i]);
      mbufs_[i].buf_addr = bytes_.data();
      mbufs_[i].buf_len = mbufs_[i].data_len = size;
      mbufs_[i].pkt_len = size;
      mbufs_[i].nb_segs = 1;
      pointers_[i] = &mbufs_[i];
    }
  }
  void pass() { callback(0, 0, pointers_, kBurst, kBurst, callback_lane); }

 private:
  std::vector<uint8_t> bytes_;
  rte_mbuf mbufs_[kBurst];
  rte_mbuf* pointers_[kBurst];
};

struct Session {
  Session(FileFormat format, const std::vector<uint8_t>& program) : memory{}, one{} {
    if (memory_make(&memory, kMemory, 1) != 0) throw Error("ERR_NO_MEMORY", "cannot make a session's memory");
    one.kind = {
        format == FileFormat::pcap ? DPCAP_AGENT_PCAP : DPCAP_AGENT_PCAPNG, true, kSnaplen, DPCAP_AGENT_RX, 0, 0};
    if (!program.empty()) one.filter = filter_make(program.data(), static_cast<uint32_t>(program.size() / 8));
    stream_use(&one, &memory, 1, 0);
    clock_renew(kTscHz);
    lane_attach(lane_find(0, 0, DPCAP_AGENT_RX), &one);
  }

  struct memory memory;
  stream one;
};

void drain(const Session& session, FileFormat format) {
  std::vector<Descriptor> fds;
  for (int fd : {session.memory.control_fd, session.memory.data_fd}) fds.emplace_back(dup(fd));
  AgentMemory memory({session.memory.segments, session.memory.bursts, 0, session.memory.segment_bytes}, 1, fds);
  Ledger ledger(1);
  SinkCounters counters(ledger, {});
  FileSink file(open("/dev/null", O_WRONLY), {format, 0, {}, Priority::normal}, counters);
  Limit limit(0);
  Admission admission(ledger, limit, file);
  Lane lane(0, {"bench", 0, 0, Direction::rx}, 0);
  const std::atomic<bool> is_gone{true};
  Counter arrived;
  const CpuAffinityScope one({sched_getcpu()});  // as the engine's drain thread
  file.enter();
  while (!file.wants_in_place(0, 0)) std::this_thread::yield();  // until the header is written, blocks are copied
  Drain drain(std::make_unique<AgentPoller>(std::vector<PolledLane>{{&lane, &memory, 0, &is_gone, &arrived}},
                                            std::make_unique<FileSpanWriter>(format, file), admission),
              file, 1);
  drain.start(Priority::normal);
  drain.stop();  // takes all that is published first
  file.finish({});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: bench_agent_instructions callback|drain pcap|pcapng BYTES [FILTER]\n");
    return 2;
  }
  const FileFormat format = strcmp(argv[2], "pcap") == 0 ? FileFormat::pcap : FileFormat::pcapng;
  stand_in_for_dpdk();
  Session session(format, from_hex(argc > 4 ? argv[4] : ""));
  Packets packets(static_cast<uint16_t>(atoi(argv[3])));
  for (uint32_t i = 0; i < kPackets / kBurst; i++) packets.pass();
  if (strcmp(argv[1], "drain") == 0) drain(session, format);
  printf("%u\n", kPackets);
  return 0;
}
