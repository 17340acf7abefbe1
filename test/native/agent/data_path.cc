// What a stream publishes arrives in the file, and no word that the client can write harms the application.
extern "C" {
#include "agent/library/datapath/stream.h"
#include "agent/library/memory.h"
}

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "agent/agent_poller.h"
#include "base/error.h"
#include "books.h"
#include "capture/limit.h"
#include "copies.h"
#include "sink/file_sink.h"
#include "tap.h"
#include "temporary_file.h"

using namespace dpcap;

namespace {

constexpr FileOptions kOptions{FileFormat::pcap, true, 262144};
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

std::vector<Descriptor> copies_of(const struct memory& memory) {
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

Seen seen_in(const TemporaryFile& file) {
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

void test_all_arrive(uint64_t limit) {
  TemporaryFile file;
  Application application(8 << 20);
  Engine engine(application, fcntl(file.fd, F_DUPFD_CLOEXEC, 0), limit);
  std::mt19937 random(11);
  Burst32 small(60), large(1514);
  uint64_t ns = 1'000'000'000;
  for (int i = 0; i < 20000; i++) {
    (random() % 4 == 0 ? large : small).take(application.streams[random() % kLanes], ns += 100);
    if (random() % 16 == 0) engine.drain(More::may_come);
  }
  engine.end();
  const Seen seen = seen_in(file);
  uint64_t accepted = 0, full = 0;
  for (const stream& one : application.streams) accepted += one.accepted, full += one.full;
  CHECK(accepted == small.taken() + large.taken());
  CHECK(full == 0);
  CHECK(engine.arrived[0] + engine.arrived[1] + engine.arrived[2] == accepted);
  CHECK(seen.is_in_order);
  CHECK(seen.numbers.size() == (limit == 0 ? accepted : limit));
  uint64_t recorded = 0, surplus = 0;
  for (uint32_t i = 0; i < kLanes; i++)
    recorded += engine.books.ledger[i].recorded, surplus += engine.books.ledger[i].surplus;
  CHECK(recorded == seen.numbers.size() && recorded + surplus == accepted);
}

// Nothing reads: the newest are lost and counted. Then what was kept arrives, and the memory is free again.
void test_overflow() {
  TemporaryFile file;
  Application application(1);
  Engine engine(application, fcntl(file.fd, F_DUPFD_CLOEXEC, 0), 0);
  Burst32 burst(1000);
  uint64_t ns = 1'000'000'000;
  for (int i = 0; i < 1000; i++) burst.take(application.streams[i % kLanes], ns += 100);
  uint64_t full = 0;
  for (const stream& one : application.streams) full += one.full;
  CHECK(full > 0 && full < burst.taken());
  engine.drain(More::none);
  burst.take(application.streams[0], ns += 100);
  CHECK(application.streams[0].has_segment);
  engine.end();
  CHECK(seen_in(file).numbers.size() + full == burst.taken());
}

// The sanitizers see an access that is not the memory's.
void test_hostile_client() {
  Application application(4 << 20);
  std::mt19937_64 random(13);
  Burst32 burst(700);
  for (int i = 0; i < 30000; i++) {
    for (int words = 0; words < 8; words++) {
      const uint64_t at = random() % (application.memory.control_bytes / 8);
      memcpy(application.memory.control + at * 8, "\0\xff\0\xff\xff\xff\xff\xff", random() % 9);
    }
    for (uint32_t segment = 0; segment < application.memory.segments; segment++)
      application.memory.control[segment] = static_cast<uint8_t>(random() % 3);
    memory_lane(&application.memory, static_cast<uint32_t>(random() % kLanes))->consumed = random();
    burst.take(application.streams[random() % kLanes], 1'000'000'000 + static_cast<uint64_t>(i));
  }
  uint64_t accepted = 0;
  for (const stream& one : application.streams) accepted += one.accepted;
  CHECK(accepted == burst.taken());
}

// The same the other way round: the application's words are input of the engine.
void test_broken_application() {
  TemporaryFile file;
  Application application(4 << 20);
  Engine engine(application, fcntl(file.fd, F_DUPFD_CLOEXEC, 0), 0);
  std::mt19937_64 random(17);
  for (size_t at = 0; at + 8 <= application.memory.data_bytes; at += 8) {
    const uint64_t word = random();
    memcpy(application.memory.data + at, &word, 8);
  }
  for (uint32_t lane = 0; lane < kLanes; lane++) {
    for (uint32_t i = 0; i < 1000; i++) {
      dpcap_agent_burst& burst = application.streams[lane].bursts[i];
      const auto word = [&] { return static_cast<uint32_t>(random() >> (32 + random() % 32)); };
      burst = {word() % 64, word(), word(), 1 + word() % 100, random(), word()};
    }
    application.streams[lane].shared->published = 1000;
  }
  engine.end();
  CHECK(engine.poller->is_empty());
}

// No more bursts than the ring has can be there, whatever the word says.
void test_broken_word() {
  TemporaryFile file;
  Application application(4 << 20);
  Engine engine(application, fcntl(file.fd, F_DUPFD_CLOEXEC, 0), 0);
  for (const uint64_t word : {uint64_t{application.memory.bursts} + 1, UINT64_MAX}) {
    application.streams[0].shared->published = word;
    CHECK(engine.poller->poll() == 0);
    CHECK(engine.poller->is_empty());
    CHECK(engine.lanes[0].state == LaneState::broken && engine.lanes[1].is_live());
  }
  engine.end();
}

// Memory that could become shorter is not mapped.
void test_unsealed() {
  Application application(4 << 20);
  const struct memory& real = application.memory;
  const dpcap_agent_prepared made = {real.segments, real.bursts, 0, real.segment_bytes};
  std::vector<Descriptor> fds;
  fds.emplace_back(fcntl(real.control_fd, F_DUPFD_CLOEXEC, 0));
  fds.emplace_back(memfd_create("unsealed", MFD_CLOEXEC));
  CHECK_ALL(ftruncate(fds[1].get(), static_cast<off_t>(real.data_bytes)) == 0);
  std::string refused;
  try {
    AgentMemory memory(made, kLanes, fds);
  } catch (const Error& error) {
    refused = error.code();
  }
  CHECK(refused == "ERR_VERSION_MISMATCH");
}

// The kernel would end the application.
void test_too_much() {
  struct memory memory;
  CHECK(memory_make(&memory, 1ull << 44, 1) == ENOMEM);
  CHECK(memory.control == nullptr && memory.data == nullptr);
}

// The first record behind packets that the stream has not seen says how many these were, and no other.
void test_unseen() {
  Application application(4 << 20);
  stream& one = application.streams[0];
  one.kind.format = DPCAP_AGENT_PCAPNG;
  Burst32 burst(60);
  burst.take(one, 1);
  burst.take(one, 2, 7);
  burst.take(one, 3, 7);
  const size_t plain = record_size(FileFormat::pcapng, 60);
  for (uint32_t i = 0; i < 3; i++) {
    const dpcap_agent_burst& at = one.bursts[i];
    const uint8_t* const record = one.data + size_t{at.segment} * one.segment_bytes + at.begin;
    const size_t told = stored_record_size(FileFormat::pcapng, record) - plain;
    CHECK(told == (i == 1 ? 12 : 0) && at.bytes == kBurst * plain + told);
    const uint8_t lost[12] = {4, 0, 8, 0, 7};
    CHECK(told == 0 || memcmp(record + plain - 8, lost, sizeof lost) == 0);
  }
}

}  // namespace

void test_agent_data_path() {
  test_unseen();
  test_all_arrive(0);
  test_all_arrive(12345);
  test_overflow();
  test_hostile_client();
  test_broken_application();
  test_broken_word();
  test_unsealed();
  test_too_much();
}
