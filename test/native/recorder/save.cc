// What a recorder has written is found again: the newest packets, in the order of time, whatever happens meanwhile.
#include <atomic>
#include <map>
#include <thread>

#include "base/error.h"
#include "recorder/box_facts.h"
#include "recorder/save_box.h"
#include "recording.h"
#include "temporary_file.h"

using namespace dpcap;

namespace {

constexpr uint64_t kMemory = 8 << 20;
constexpr size_t kFrame = 200;
constexpr size_t kPcapFileHead = 24;

struct Record {
  uint64_t time_ns;
  uint32_t number;
};

// The records of a pcap file.
std::vector<Record> records_in(const TemporaryFile& file) {
  const std::vector<uint8_t> all = file.bytes();
  const FileOptions options{FileFormat::pcap, true, 262144};
  std::vector<Record> records;
  size_t at = kPcapFileHead;
  while (at < all.size()) {
    const size_t size = whole_record_size(FileFormat::pcap, &all[at], all.size() - at);
    CHECK_ALL(size > kPcapHeadBytes + sizeof(uint32_t));
    if (size == 0) break;
    uint32_t number;
    memcpy(&number, &all[at + kPcapHeadBytes], sizeof number);
    records.push_back({stored_time_ns(options, &all[at]), number});
    at += size;
  }
  return records;
}

Saved save_to(const TemporaryFile& file, int box, uint64_t since_ns = 0) {
  return save_box(box, open_again(file.fd, O_WRONLY | O_TRUNC), {FileFormat::pcap, since_ns, {}});
}

bool is_ascending(const std::vector<Record>& records) {
  bool is = true;
  for (size_t i = 1; i < records.size(); i++) is = is && records[i - 1].time_ns <= records[i].time_ns;
  return is;
}

void test_newest() {
  const Recording recording(kMemory);
  Traffic traffic(kFrame);
  for (uint32_t i = 0; traffic.sent() * kFrame < 3 * kMemory; i++) i % 2 == 0 ? traffic.receive(0) : traffic.send(1);
  const Descriptor box(recording.open_box());
  const BoxFacts facts = read_box(box.get());
  CHECK(facts.is_recording && facts.lanes.size() == 4 && facts.interfaces.size() == 1);
  CHECK(std::string(facts.header.filter) == "udp" && facts.header.pid == static_cast<uint32_t>(getpid()));
  const TemporaryFile file;
  const Saved saved = save_to(file, box.get());
  const std::vector<Record> records = records_in(file);
  CHECK(saved.failure == 0 && saved.packets == records.size() && saved.packets == facts.packets());
  CHECK(is_ascending(records) && records.back().number == traffic.sent() - 1);
  // All but what each of two lanes keeps of its own in the segment that it overwrites next.
  CHECK(records.size() * kFrame > kMemory / 2 && records.size() < traffic.sent());
  const bool is_known_what_is_missing =
      saved.overwritten_until_ns > 0 && saved.overwritten_until_ns <= records[records.size() / 2].time_ns;
  CHECK(is_known_what_is_missing);
  uint32_t newer = 0;
  for (const Record& record : records) newer += record.time_ns > saved.overwritten_until_ns;
  CHECK(newer == traffic.sent() - (records.end() - newer)->number);  // none is missing among the newer ones
}

void test_since() {
  const Recording recording(kMemory);
  Traffic traffic(kFrame);
  for (int i = 0; i < 100; i++) traffic.receive(0);
  const Descriptor box(recording.open_box());
  const TemporaryFile all, part;
  save_to(all, box.get());
  const std::vector<Record> records = records_in(all);
  const uint64_t since = records[records.size() / 2].time_ns;
  const Saved saved = save_to(part, box.get(), since);
  CHECK(saved.packets > 0 && saved.packets < records.size() && saved.first_ns == since);
  CHECK(saved.overwritten_until_ns == 0);
  CHECK(save_to(part, box.get(), records.back().time_ns + 1).packets == 0);
}

// A thread of the application goes on: each file has the newest packets, each of them whole.
void test_while_written() {
  const Recording recording(kMemory);
  std::atomic<bool> is_over{false};
  std::thread application([&] {
    Traffic traffic(kFrame);
    while (!is_over) traffic.receive(0);
  });
  const Descriptor box(recording.open_box());
  for (int i = 0; i < 20; i++) {
    const TemporaryFile file;
    const Saved saved = save_to(file, box.get());
    const std::vector<Record> records = records_in(file);
    CHECK_ALL(saved.damage.damaged == 0 && saved.packets == records.size() && is_ascending(records));
    uint32_t gaps = 0;
    for (size_t at = 1; at < records.size(); at++) gaps += records[at].number != records[at - 1].number + 1;
    CHECK_ALL(gaps <= saved.damage.overwritten);
  }
  is_over = true;
  application.join();
}

// A port's queues go, and come back: their records go on in the same lanes.
void test_ports() {
  const Recording recording(kMemory);
  Traffic traffic(kFrame);
  dpcap_agent_recorder told;
  traffic.receive(1);
  FakePort::queues = 1;
  recorder_watch(recording.get());
  recorder_describe(recording.get(), &told);
  CHECK(told.lanes == 2);
  traffic.receive(1);  // passes through the callback, which stays
  FakePort::queues = FakePort::kQueues;
  recorder_watch(recording.get());
  recorder_describe(recording.get(), &told);
  CHECK(told.lanes == 4);
  traffic.receive(1);
  const Descriptor box(recording.open_box());
  CHECK(read_box(box.get()).packets() == 2 * Traffic::kBurst && read_box(box.get()).lanes.size() == 4);
}

}  // namespace

void test_recorder_save() {
  test_newest();
  test_since();
  test_while_written();
  test_ports();
}
