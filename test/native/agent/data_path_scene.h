// A session of an application, its packets, and the engine that takes them out, in one process and without DPDK.
#pragma once
extern "C" {
#include "agent/library/datapath/stream.h"
#include "agent/library/memory.h"
}

#include <fcntl.h>

#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "agent/agent_poller.h"
#include "books.h"
#include "capture/limit.h"
#include "copies.h"
#include "sink/file_sink.h"
#include "tap.h"
#include "temporary_file.h"

namespace data_path {

using namespace dpcap;

inline constexpr FileOptions kOptions{FileFormat::pcap, true, 262144};
constexpr uint32_t kLanes = 3;
constexpr uint32_t kBurst = 32;

// A session's memory and streams as the agent makes them, without DPDK.
struct Application {
  explicit Application(uint64_t bytes) {
    CHECK(memory_make(&memory, bytes, kLanes) == 0);
    for (uint32_t i = 0; i < kLanes; i++) {
      stream& one = streams[i];
      memset(static_cast<void*>(&one), 0, sizeof one);
      one.kind = {DPCAP_AGENT_PCAP, true, kOptions.snaplen, DPCAP_AGENT_RX, i, 0};
      stream_use(&one, &memory, kLanes, i);
    }
  }
  ~Application() { memory_free(&memory); }

  struct memory memory;
  stream streams[kLanes];
};

// Packets whose first bytes say which they are.
class Burst32 {
 public:
  explicit Burst32(size_t size) {
    for (uint32_t i = 0; i < kBurst; i++) mbufs_.push_back(chains_.emplace_back(numbered(size), SIZE_MAX, 64).head());
  }
  void take(stream& to, uint64_t ns, uint64_t contended = 0) {
    for (rte_mbuf* mbuf : mbufs_) memcpy(rte_pktmbuf_mtod(mbuf, uint8_t*), &number_, sizeof number_), number_++;
    stream_miss(&to, contended);
    stream_take(&to, mbufs_.data(), kBurst, {ns, ns});
  }
  uint32_t taken() const { return number_; }

 private:
  uint32_t number_ = 0;
  std::deque<Chain> chains_;
  std::vector<rte_mbuf*> mbufs_;
};

inline std::vector<Descriptor> copies_of(const struct memory& memory) {
  std::vector<Descriptor> fds;
  fds.emplace_back(fcntl(memory.control_fd, F_DUPFD_CLOEXEC, 0));
  fds.emplace_back(open_again(memory.data_fd, O_RDONLY));
  return fds;
}

struct Engine {
  Engine(const Application& application, int fd, uint64_t limit)
      : memory({application.memory.segments, application.memory.bursts, 0, application.memory.segment_bytes}, kLanes,
               copies_of(application.memory)),
        books(kLanes),
        packets(limit),
        sink(fd, {kOptions.format, 0, {}, Priority::normal}, books.counters),
        admission(books.ledger, packets, sink) {
    std::vector<PolledLane> polled;
    for (uint16_t i = 0; i < kLanes; i++)
      polled.push_back({&lanes.emplace_back(i, LaneId{"test0", 0, i, Direction::rx}, 0), &memory, i, &is_gone,
                        &arrived[i], &delivered[i]});
    poller = std::make_unique<AgentPoller>(polled, std::make_unique<FileSpanWriter>(kOptions.format, sink), admission);
    sink.enter();
  }
  void drain(More more) {
    poller->poll();
    poller->deliver(more);
  }
  void end() {
    drain(More::none);
    sink.flush();
    sink.leave();
    sink.finish({});
  }

  AgentMemory memory;
  Books books;
  Limit packets;
  FileSink sink;
  Admission admission;
  std::deque<Lane> lanes;
  std::atomic<bool> is_gone{false};
  Counter arrived[kLanes];
  Counter delivered[kLanes];
  std::unique_ptr<AgentPoller> poller;
};

struct Seen {
  std::vector<uint32_t> numbers;
  bool is_in_order = true;
};

inline Seen seen_in(const TemporaryFile& file) {
  Seen seen;
  const std::vector<uint8_t> bytes = file.bytes();
  uint64_t last_ns = 0;
  for (size_t at = 0; at < bytes.size(); at += stored_record_size(kOptions.format, &bytes[at])) {
    uint32_t number;
    memcpy(&number, &bytes[at + kPcapHeadBytes], sizeof number);
    seen.numbers.push_back(number);
    const uint64_t ns = stored_time_ns(kOptions, &bytes[at]);
    seen.is_in_order &= ns >= last_ns;
    last_ns = ns;
  }
  return seen;
}

}  // namespace data_path
