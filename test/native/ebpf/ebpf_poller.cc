// Bursts as the programs in the kernel pass them on become records, in the order of their times.
#include "ebpf/ebpf_poller.h"

#include <rte_ether.h>

#include <cstdlib>
#include <deque>
#include <memory>
#include <vector>

#include "capture/admission.h"
#include "copies.h"
#include "ebpf/wall_offset.h"
#include "record/epb_options.h"
#include "record/pcap_format.h"
#include "tap.h"

using namespace dpcap;

namespace {

using Bytes = std::vector<uint8_t>;

// Keeps records as they come.
class MemorySink : public RecordSink {
 public:
  MemorySink(SinkCounters& counters, FileFormat format) : RecordSink(counters), format_(format) {}
  Room reserve(size_t) override { return {room_.data(), room_.size(), room_.size()}; }
  void commit(const RecordSpan& span) override {
    const uint8_t* at = span.bytes;
    for (uint32_t i = 0; i < span.records; i++) {
      const size_t size = stored_record_size(format_, at);
      records.emplace_back(at, at + size);
      lanes.push_back(span.lane);
      at += size;
    }
  }
  void tick(uint64_t, uint64_t) override {}
  void finish(const std::vector<uint8_t>&) override {}

  std::vector<Bytes> records;
  std::vector<uint16_t> lanes;

 private:
  const FileFormat format_;
  Bytes room_ = Bytes(1 << 20);
};

template <typename T>
void append(Bytes& to, const T& value) {
  const size_t at = to.size();
  to.resize(at + sizeof value);
  memcpy(&to[at], &value, sizeof value);
}

// A burst of the kernel's, to be filled.
class Made {
 public:
  Made(uint64_t time_ns, uint32_t lane, uint64_t lost = 0) {
    append(bytes_, dpcap_probe_burst{time_ns, lane, 0, lost});
  }

  Made& add(const Bytes& packet, uint32_t len = 0, uint64_t ol_flags = 0, bool is_read = true) {
    const auto caplen = static_cast<uint32_t>(packet.size());
    append(bytes_, dpcap_probe_packet{ol_flags, len == 0 ? caplen : len, kHash, static_cast<uint16_t>(caplen), 5, 6,
                                      is_read, 0});
    bytes_.insert(bytes_.end(), packet.begin(), packet.end());
    bytes_.resize((bytes_.size() + 7) & ~size_t{7});
    packets_++;
    return *this;
  }
  static constexpr uint32_t kHash = 0x01020304;
  Bytes bytes() {
    memcpy(&bytes_[offsetof(dpcap_probe_burst, packets)], &packets_, sizeof packets_);
    return bytes_;
  }

 private:
  Bytes bytes_;
  uint32_t packets_ = 0;
};

// A poller with a ring that the test fills. Lane 0 receives, lane 1 sends.
struct Fixture {
  explicit Fixture(const Bytes& filter = {}, uint64_t packet_limit = 0, uint32_t snaplen = 262144,
                   FileFormat format_ = FileFormat::pcap)
      : format(format_), limit(packet_limit), filters{{Interpreter(filter), Interpreter(filter)}} {
    tallies.unread.resize(2);
    const auto take = [this](const auto& hold) {
      while (!ring.empty()) {
        const Bytes burst = ring.front();
        ring.pop_front();
        if (!hold(burst.data(), burst.size())) break;
      }
    };
    poller = std::make_unique<EbpfPoller>(
        std::vector<Lane*>{&lanes[0], &lanes[1]}, EbpfInput{take, filters, tallies, 1 << 20},
        std::make_unique<RecordWriter>(FileOptions{format, true, snaplen}, CopyMode::plain, sink), admission);
  }
  uint32_t drain() {
    poller->poll();
    return poller->deliver(More::none);
  }
  uint32_t caplen(size_t record) const { return stored_caplen(FileFormat::pcap, sink.records[record].data()); }
  uint64_t time_ns(size_t record) const { return stored_time_ns(kPcap, sink.records[record].data()); }

  Lane lanes[2] = {{0, {"test0", 0, 0, Direction::rx}, 0}, {1, {"test0", 0, 0, Direction::tx}, 0}};
  Books books{2};
  const FileFormat format;
  Limit limit;
  MemorySink sink{books.counters, format};
  Admission admission{books.ledger, limit, sink};
  std::vector<Filters> filters;
  EbpfTallies tallies;
  std::deque<Bytes> ring;
  std::unique_ptr<EbpfPoller> poller;
};

const uint64_t kLongAgo = now_ns(CLOCK_MONOTONIC) - 1'000'000'000;

// The kernel's program copies as much as is recorded.
void test_records() {
  Fixture test({}, 0, 99);
  test.ring.push_back(Made(kLongAgo, 0).add(numbered(60)).add(numbered(99), 1514).bytes());
  CHECK(test.poller->poll() == 2 && test.poller->deliver(More::may_come) == 2);
  CHECK(test.sink.records.size() == 2 && test.caplen(0) == 60 && test.caplen(1) == 99);
  const Bytes& cut = test.sink.records[1];
  uint32_t len;
  memcpy(&len, &cut[12], sizeof len);
  CHECK(len == 1514);
  CHECK(Bytes(cut.begin() + 16, cut.end()) == numbered(99));
  const uint64_t offset = now_ns(CLOCK_REALTIME) - now_ns(CLOCK_MONOTONIC);
  CHECK(test.time_ns(0) - kLongAgo - offset + 1'000'000 < 2'000'000);
  CHECK(test.books.ledger[0].recorded == 2 && test.books.ledger[0].bytes == 159);
}

void test_order() {
  Fixture test;
  const uint64_t now = now_ns(CLOCK_MONOTONIC);
  test.ring.push_back(Made(kLongAgo + 20, 0).add(numbered(60)).bytes());
  test.ring.push_back(Made(kLongAgo + 10, 1).add(numbered(61)).bytes());
  test.ring.push_back(Made(now + 1'000'000'000, 0).add(numbered(62)).bytes());  // not yet: an earlier one may come
  CHECK(test.poller->poll() == 3 && test.poller->deliver(More::may_come) == 2);
  CHECK(test.caplen(0) == 61 && test.caplen(1) == 60 && test.sink.lanes[0] == 1);
  CHECK(!test.poller->is_empty());
  CHECK(test.poller->complete_ns() < now_ns(CLOCK_REALTIME));
  test.ring.push_back(Made(kLongAgo, 1).add(numbered(63)).bytes());  // its thread had lost its CPU
  CHECK(test.drain() == 2 && test.poller->is_empty());
  CHECK(test.caplen(2) == 63 && test.time_ns(2) == test.time_ns(1));
  CHECK(test.caplen(3) == 62 && test.time_ns(3) > test.time_ns(2));
}

void test_losses() {
  Fixture test;
  test.ring.push_back(Made(kLongAgo, 1).add(numbered(60)).add({}, 60, 0, false).add(numbered(61)).bytes());
  CHECK(test.drain() == 3);
  CHECK(test.sink.records.size() == 2 && test.tallies.unread[1] == 1 && test.tallies.unread[0] == 0);
  // What nobody makes is not read past its end.
  Bytes torn = Made(kLongAgo, 0).add(numbered(60)).bytes();
  torn.resize(torn.size() - 30);
  test.ring.push_back(torn);
  test.ring.push_back({1, 2, 3});
  test.ring.push_back(Made(kLongAgo, 77).add(numbered(60)).bytes());
  test.drain();
  CHECK(test.sink.records.size() == 2 && test.tallies.unread[0] == 1);
}

// The option of epb_dropcount in front of the end of a record of pcapng; 0 when there is none.
uint64_t told_lost(const Bytes& record) {
  const size_t at = record.size() - 8 - EPB_OPTION_BYTES;
  const uint8_t head[4] = {4, 0, 8, 0};
  uint64_t lost = 0;
  if (memcmp(&record[at], head, sizeof head) == 0) memcpy(&lost, &record[at + sizeof head], sizeof lost);
  return lost;
}

// The next record of the lane tells of what was lost, once; what the filter leaves out cannot.
void test_gaps() {
  Fixture test({}, 0, 262144, FileFormat::pcapng);
  test.ring.push_back(Made(kLongAgo, 0, 3).add(numbered(60)).add(numbered(60)).bytes());
  test.ring.push_back(Made(kLongAgo + 1, 1, 0).add(numbered(60)).bytes());
  test.ring.push_back(Made(kLongAgo + 2, 0, 3).add({}, 60, 0, false).bytes());
  test.ring.push_back(Made(kLongAgo + 3, 0, 8).add(numbered(60)).bytes());
  test.drain();
  std::vector<uint64_t> told;
  for (const Bytes& record : test.sink.records) told.push_back(told_lost(record));
  CHECK((told == std::vector<uint64_t>{3, 0, 0, 6}));
}

void test_hash() {
  Fixture test({}, 0, 262144, FileFormat::pcapng);
  test.ring.push_back(Made(kLongAgo, 0).add(numbered(60), 0, RTE_MBUF_F_RX_RSS_HASH).bytes());
  test.drain();
  const Bytes& record = test.sink.records[0];
  const Bytes expected{3, 0, 5, 0, 5, 1, 2, 3, 4, 0, 0, 0};
  CHECK(std::equal(expected.begin(), expected.end(), record.end() - 8 - EPB_OPTION_BYTES));
}

void test_limit() {
  Fixture test({}, 3);
  for (int i = 0; i < 2; i++) test.ring.push_back(Made(kLongAgo, 0).add(numbered(60)).add(numbered(60)).bytes());
  test.drain();
  CHECK(test.sink.records.size() == 3 && test.limit.is_reached());
  CHECK(test.books.ledger[0].surplus == 1);
}

// Selects nothing: mov r0, 0; exit.
void test_filter() {
  const uint64_t program[2] = {0xb4, 0x95};
  Bytes bytes(sizeof program);
  memcpy(bytes.data(), program, sizeof program);
  Fixture test(bytes);
  test.ring.push_back(Made(kLongAgo, 0).add(numbered(60)).add(numbered(60)).bytes());
  test.drain();
  CHECK(test.sink.records.empty() && test.books.ledger[0].filtered == 2);
}

void test_tags() {
  Fixture test;
  test.ring.push_back(Made(kLongAgo, 0).add(numbered(60), 0, RTE_MBUF_F_RX_VLAN_STRIPPED).bytes());
  test.drain();
  CHECK(test.caplen(0) == 64);
  const uint8_t tag[4] = {0x81, 0x00, 0, 5};
  CHECK(memcmp(&test.sink.records[0][16 + 12], tag, sizeof tag) == 0);
}

// A thread that lost its CPU for `lost_ns` before each of its first looks at the system clock is not deceived, or says
// so.
WallOffset offset_after(int interruptions, uint64_t lost_ns) {
  uint64_t steady = 5'000'000'000;
  return read_wall_offset([&, left = interruptions](clockid_t clock) mutable {
    steady += clock == CLOCK_REALTIME && left-- > 0 ? lost_ns : 30;
    return clock == CLOCK_REALTIME ? steady + 7'000'000'000 : steady;
  });
}

void test_clocks() {
  for (const int interruptions : {0, 1, 4}) {
    const WallOffset offset = offset_after(interruptions, 3'000'000);
    CHECK(offset.doubt_ns < 1000 && std::abs(offset.ns - 7'000'000'000) < 1000);
  }
  CHECK(offset_after(5, 3'000'000).doubt_ns >= 3'000'000);
}

}  // namespace

void test_ebpf_poller() {
  test_records();
  test_order();
  test_losses();
  test_gaps();
  test_hash();
  test_limit();
  test_filter();
  test_tags();
  test_clocks();
}
