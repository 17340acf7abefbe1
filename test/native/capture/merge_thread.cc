#include "capture/merge_thread.h"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "copies.h"
#include "sink/file_sink.h"
#include "tap.h"
#include "temporary_file.h"

using namespace dpcap;

namespace {

const FileOptions kFormats[] = {
    {FileFormat::pcap, true, 262144}, {FileFormat::pcap, false, 262144}, {FileFormat::pcapng, true, 262144}};

struct Merged {
  explicit Merged(const FileOptions& options_, int fd, size_t lanes = 8)
      : options(options_),
        books(lanes),
        file(fd, {options.format, 0, {}, Priority::normal}, books.counters),
        merge(options, books.counters, file) {}
  // After the queues' owners have left.
  void end() {
    merge.stop();
    file.finish({});
  }
  const FileOptions options;
  Books books;
  FileSink file;
  MergeThread merge;
};

struct Record {
  uint64_t ns;
  uint32_t lane;  // as the packet's first bytes say
  uint32_t number;
};

std::vector<Record> records_in(const TemporaryFile& file, const FileOptions& options) {
  const std::vector<uint8_t> bytes = file.bytes();
  std::vector<Record> records;
  for (size_t at = 0; at < bytes.size(); at += stored_record_size(options.format, &bytes[at])) {
    uint32_t words[2];
    memcpy(words, &bytes[at + (options.format == FileFormat::pcap ? kPcapHeadBytes : kEpbHeadBytes)], sizeof words);
    records.push_back({stored_time_ns(options, &bytes[at]), words[0], words[1]});
  }
  return records;
}

// A packet that says whose it is.
std::vector<uint8_t> signed_packet(uint32_t lane, uint32_t number, size_t size) {
  std::vector<uint8_t> bytes(size);
  const uint32_t words[2] = {lane, number};
  memcpy(bytes.data(), words, sizeof words);
  return bytes;
}

// Feeds a queue with random bursts, as a drain of two lanes does: time goes on in random steps, and sometimes stands.
void feed(RecordSink& queue, const FileOptions& options, uint32_t first_lane, unsigned seed, uint32_t packets) {
  constexpr uint32_t kMostInBurst = 40;
  uint64_t now = 1'700'000'000'000'000'000;
  uint32_t numbers[2] = {};
  queue.enter();
  for (uint32_t made = 0; made < packets;) {
    const uint32_t which = rand_r(&seed) % 2;
    Packets burst(first_lane + which);
    const uint32_t count = std::min(packets - made, 1 + rand_r(&seed) % kMostInBurst);
    std::vector<uint64_t> times;
    for (uint32_t i = 0; i < count; i++) {
      burst.add(signed_packet(first_lane + which, numbers[which]++, rand_r(&seed) % 100 == 0 ? 9000 : 60));
      now += rand_r(&seed) % 4 == 0 ? 0 : rand_r(&seed) % 3000;
      times.push_back(now);
    }
    put(queue, {burst.lane(), burst.burst().mbufs, times.data(), count}, options);
    queue.tick(0, now);
    made += count;
  }
  queue.leave();
}

// Whoever is faster: all records, those of each lane in their order, and none before an earlier one.
void in_order() {
  for (const FileOptions& options : kFormats) {
    constexpr uint32_t kStrands = 3, kPackets = 15000;
    TemporaryFile file;
    Merged merged(options, file.fd);
    std::vector<std::thread> drains;
    for (uint32_t i = 0; i < kStrands; i++) {
      drains.emplace_back(feed, std::ref(merged.merge.add_queue()), std::cref(options), 2 * i, 17 + i, kPackets);
    }
    merged.merge.start(Priority::normal);
    for (auto& drain : drains) drain.join();
    merged.end();
    const std::vector<Record> records = records_in(file, options);
    CHECK(merged.books.counters.failure() == 0 && records.size() == kStrands * kPackets);
    std::vector<uint32_t> next(2 * kStrands);
    uint64_t last = 0;
    for (const Record& record : records) {
      CHECK_ALL(record.lane < next.size() && record.number == next[record.lane]++ && record.ns >= last);
      last = record.ns;
    }
  }
}

// A queue that has nothing holds the others up only as long as it may have something earlier.
void quiet_queue() {
  TemporaryFile file;
  Merged merged(kFormats[0], file.fd);
  RecordSink& busy = merged.merge.add_queue();
  RecordSink& quiet = merged.merge.add_queue();
  merged.merge.start(Priority::normal);
  Packets packets(3);
  packets.add(signed_packet(3, 0, 60)).add(signed_packet(3, 1, 60));
  const uint64_t* times = packets.burst().arrival_ns;
  put(busy, packets.burst());
  busy.tick(0, times[1]);
  quiet.tick(0, times[0]);
  while (file.size() == 0) std::this_thread::yield();
  CHECK(file.size() == 76);
  quiet.tick(0, times[1] - 1);
  Packets late(4);
  late.add(signed_packet(4, 0, 60));
  put(quiet, {late.lane(), late.burst().mbufs, times + 1, 1});
  quiet.leave();
  busy.leave();
  merged.end();
  const std::vector<Record> records = records_in(file, kFormats[0]);
  CHECK(records.size() == 3 && records[0].number == 0);
}

// The clock is set back by an hour in the middle: what arrives later stands behind what was there, and nothing waits
// for the hour to pass.
void clock_set_back() {
  constexpr int64_t kBack = -3'600'000'000'000;
  TemporaryFile file;
  Merged merged(kFormats[0], file.fd);
  RecordSink* queues[] = {&merged.merge.add_queue(), &merged.merge.add_queue()};
  merged.merge.start(Priority::normal);
  constexpr uint32_t kAll = 100;
  Packets packets(0);
  for (uint32_t i = 0; i < kAll; i++) packets.add(signed_packet(0, i, 60));
  const Burst all = packets.burst();
  const auto put_one = [&](uint32_t i) {
    const int64_t steps = i < kAll / 2 ? 0 : kBack;
    const uint64_t shown = all.arrival_ns[i] + static_cast<uint64_t>(steps);
    put(*queues[i % 2], {packets.lane(), all.mbufs + i, &shown, 1, steps});
  };
  // The one queue is ahead of the other: that is waited for, before and after the step.
  for (uint32_t i = 0; i < kAll; i += 2) put_one(i);
  queues[0]->tick(0, all.arrival_ns[kAll - 1]);
  for (uint32_t i = 1; i < kAll; i += 2) put_one(i);
  queues[1]->tick(0, all.arrival_ns[kAll - 1]);
  while (file.size() < kAll * 76) std::this_thread::yield();
  for (RecordSink* queue : queues) queue->leave();
  merged.end();
  const std::vector<Record> records = records_in(file, kFormats[0]);
  CHECK(records.size() == kAll);
  for (uint32_t i = 0; i < kAll; i++) CHECK_ALL(records[i].number == i);
}

// What could not be written is counted where it belongs, however it was merged.
void full_disk() {
  Merged merged(kFormats[0], open("/dev/full", O_WRONLY));
  RecordSink* queues[] = {&merged.merge.add_queue(), &merged.merge.add_queue()};
  merged.merge.start(Priority::normal);
  for (uint32_t i = 0; i < 2; i++) {
    Packets packets(5 + i);
    packets.add_sized(10 + i, 60);
    put(*queues[i], packets.burst());
  }
  for (RecordSink* queue : queues) queue->leave();
  merged.end();
  CHECK(merged.books.counters.failure() == ENOSPC && merged.books.counters.bytes_written() == 0);
  CHECK(merged.books.ledger[5].lost == 10 && merged.books.ledger[6].lost == 11);
}

char state_of(pid_t thread) {
  std::ifstream stat("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string pid, name, state;
  stat >> pid >> name >> state;
  return state.empty() ? '?' : state[0];
}

// A drain with more than a queue has room for, in bytes or in runs, waits, and nothing is lost.
void no_room(size_t bytes, uint32_t packets_in_run, uint32_t runs) {
  TemporaryFile file;
  Merged merged(kFormats[0], file.fd);
  RecordSink& fast = merged.merge.add_queue();
  RecordSink& slow = merged.merge.add_queue();
  merged.merge.start(Priority::normal);
  std::atomic<pid_t> thread{0};
  std::atomic<bool> is_put{false};
  std::thread drain([&] {
    thread = gettid();
    Packets packets(0);
    for (uint32_t i = 0; i < packets_in_run; i++) packets.add(signed_packet(0, 0, bytes));
    for (uint32_t number = 0; number < runs * packets_in_run; number += packets_in_run) {
      const Burst burst = packets.burst();
      for (uint32_t i = 0; i < packets_in_run; i++) {
        const uint32_t words[2] = {0, number + i};
        memcpy(rte_pktmbuf_mtod(burst.mbufs[i], void*), words, sizeof words);
      }
      put(fast, burst);
    }
    is_put = true;
    fast.leave();
  });
  while (!is_put && (thread == 0 || state_of(thread) != 'S')) std::this_thread::yield();
  CHECK(!is_put);
  slow.leave();
  drain.join();
  merged.end();
  const std::vector<Record> records = records_in(file, kFormats[0]);
  CHECK(records.size() == runs * packets_in_run);
  for (uint32_t i = 0; i < records.size(); i++) CHECK_ALL(records[i].number == i);
}

}  // namespace

void test_merge_thread() {
  in_order();
  quiet_queue();
  clock_set_back();
  full_disk();
  no_room(9000, 100, 30);
  no_room(60, 1, 70000);
}
