#include "sink/file_sink.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

#include "base/now.h"
#include "base/thread.h"
#include "copies.h"
#include "full_disk.h"
#include "tap.h"
#include "temporary_file.h"

using namespace dpcap;

namespace {

FileSinkOptions options(uint64_t byte_limit = 0) {
  return {FileFormat::pcap, byte_limit, std::vector<uint8_t>(24), Priority::normal};
}

// Small packets are copied, large ones may be written in place: either way the file has them all.
void whole_file() {
  for (const size_t size : {60, 1000}) {
    TemporaryFile file;
    Books books(1);
    FileSink sink(file.fd, options(), books.counters);
    Packets packets;
    packets.add_sized(500, size);
    sink.enter();
    for (int i = 0; i < 200; i++) CHECK_ALL(put(sink, packets.burst()) == 500);
    sink.leave();
    sink.finish({1, 2, 3});
    CHECK(sink.counters().failure() == 0 && books.ledger[0].lost == 0);
    CHECK(file.size() == 24 + 200 * 500 * (16 + size) + 3);
    CHECK(sink.counters().bytes_written() == file.size());
  }
}

// Sizes of the packets of a pcap file whose bytes are their own size; empty when one is not.
std::vector<size_t> sizes_in(const TemporaryFile& file) {
  const std::vector<uint8_t> bytes = file.bytes();
  std::vector<size_t> sizes;
  for (size_t at = 24; at + 16 <= bytes.size(); at += 16 + sizes.back()) {
    uint32_t caplen;
    memcpy(&caplen, &bytes[at + 8], sizeof caplen);
    if (at + 16 + caplen > bytes.size()) return {};
    if (bytes[at + 16] != static_cast<uint8_t>(caplen) || bytes[at + 15 + caplen] != static_cast<uint8_t>(caplen))
      return {};
    sizes.push_back(caplen);
  }
  return sizes;
}

// With one CPU, the drain writes to a file in memory by itself, large packets in place: all stay in order.
void alone_on_a_cpu() {
  TemporaryFile file("/dev/shm");
  Books books(1);
  const CpuAffinityScope one({sched_getcpu()});
  FileSink sink(file.fd, options(), books.counters);
  Packets packets;
  packets.add_sized(110, 1000).add_sized(10, 60).add_sized(1, 2000).add_sized(300, 61).add_sized(79, 62);
  sink.enter();
  constexpr size_t kRounds = 1000;
  for (size_t i = 0; i < kRounds; i++) {
    CHECK_ALL(put(sink, packets.burst()) == 500);
    sink.tick(now_ns(CLOCK_MONOTONIC), 0);
  }
  sink.leave();
  sink.finish({});
  CHECK(sink.counters().failure() == 0 && books.ledger[0].lost == 0);
  const std::vector<size_t> sizes = sizes_in(file);
  CHECK(sizes.size() == kRounds * 500);
  for (size_t i = 0; i < sizes.size(); i++) {
    const size_t nth = i % 500;
    CHECK_ALL(sizes[i] == (nth < 110 ? 1000u : nth < 120 ? 60u : nth < 121 ? 2000u : nth < 421 ? 61u : 62u));
  }
}

// Neither a file in memory nor /dev/null makes the drain wait, as a reader may.
void what_never_stalls() {
  Books books(1);
  const auto is_in_memory = [&](int fd) {
    OutputFile output(fd, FileFormat::pcap, books.counters);
    const bool is = output.is_in_memory();
    output.close();
    return is;
  };
  int ends[2];
  CHECK(pipe(ends) == 0);
  CHECK(is_in_memory(open("/dev/null", O_WRONLY | O_CLOEXEC)));
  CHECK(is_in_memory(TemporaryFile("/dev/shm").fd));
  CHECK(!is_in_memory(ends[1]));
  close(ends[0]);
}

// In a hurry, a packet is in the file although no time has passed; else it waits for more.
void in_a_hurry() {
  using Hurry = FileSinkOptions::Hurry;
  for (const Hurry hurry : {Hurry::none, Hurry::each_round}) {
    TemporaryFile file;
    Books books(1);
    FileSinkOptions wanted = options();
    wanted.hurry = hurry;
    FileSink sink(file.fd, wanted, books.counters);
    Packets packets;
    packets.add_sized(1, 84);                             // 100 bytes
    while (file.size() != 24) std::this_thread::yield();  // the header
    for (size_t bytes = 124; bytes <= 324; bytes += 100) {
      CHECK(put(sink, packets.burst()) == 1);
      sink.tick(0, 0);
      if (hurry == Hurry::none) continue;
      while (file.size() != bytes) {  // the writer thread may not have been idle
        std::this_thread::yield();
        sink.tick(0, 0);
      }
    }
    if (hurry == Hurry::none) CHECK(file.size() == 24);
    sink.finish({});
    CHECK(file.size() == 324 && books.ledger[0].lost == 0);
  }
}

// What fills blocks goes past the page cache, where the file system can.
void straight_to_disk() {
  TemporaryFile file;
  Books books(1);
  FileSink sink(file.fd, options(), books.counters);
  Packets packets;
  packets.add_sized(1000, 84);  // 100 bytes each
  size_t bytes = 24;
  for (int i = 0; i < 10; i++) {
    for (int j = 0; j < 9; j++) CHECK_ALL(put(sink, packets.burst()) == 1000);
    sink.flush();
    bytes += 9 * 1000 * 100;
    while (file.size() != bytes) std::this_thread::yield();  // nothing piles up
  }
  const size_t cached = file.pages_in_cache();
  sink.finish({});
  CHECK(sink.counters().failure() == 0 && sizes_in(file).size() == 90000);
  if (!file.can_go_straight()) return note("/tmp has no O_DIRECT");
  CHECK(cached <= 1);
}

// The record that crosses the limit is the last.
void byte_limit() {
  TemporaryFile file;
  Books books(1);
  FileSink sink(file.fd, options(1000), books.counters);
  Packets packets;
  packets.add_sized(5, 84);  // 100 bytes each
  CHECK(put(sink, packets.burst()) == 5 && !sink.is_full());
  CHECK(put(sink, packets.burst()) == 5 && sink.is_full());
  CHECK(put(sink, packets.burst()) == 0);
  sink.finish({});
  CHECK(file.size() == 24 + 1000);
}

void full_disk() {
  FullDisk disk(24 + 450);
  TemporaryFile file;
  Books books(2);
  FileSink sink(file.fd, options(), books.counters);
  Packets first(0), second(1);
  first.add_sized(1, 84);
  second.add_sized(1, 84);
  for (int i = 0; i < 10; i++) put(sink, i % 2 == 0 ? first.burst() : second.burst());
  sink.flush();
  for (int i = 0; i < 10; i++) put(sink, i % 2 == 0 ? first.burst() : second.burst());
  sink.finish({1, 2, 3});
  disk.end();
  CHECK(sink.counters().failure() == EFBIG);
  CHECK(file.size() == 24 + 400);  // whole records only, and no trailer
  CHECK(sink.counters().bytes_written() == file.size());
  CHECK(books.ledger[0].lost == 8 && books.ledger[1].lost == 8);
  CHECK(books.ledger[0].lost_bytes == 8 * 84 && books.ledger[1].lost_bytes == 8 * 84);
}

// The same for packets that are written from where they lie.
void full_disk_in_place() {
  FullDisk disk(24 + 7 * 1016 + 500);
  TemporaryFile file;
  Books books(1);
  OutputFile output(file.fd, FileFormat::pcap, books.counters);
  output.write_or_take_back(std::vector<uint8_t>(24));
  Packets packets;
  packets.add_sized(OutputFile::kMostRecords, 1000);
  const Encoder encoder(kPcap, CopyMode::plain);
  std::vector<iovec> records(OutputFile::kMostRecords);
  for (uint32_t i = 0; i < records.size(); i++) CHECK_ALL(encoder.wrap(packets.burst(), i, &records[i]) == 1000);
  output.write_records(records.data(), OutputFile::kMostRecords, 0);
  output.close();
  disk.end();
  CHECK(books.counters.failure() == EFBIG && books.ledger[0].lost == OutputFile::kMostRecords - 7);
  CHECK(file.size() == 24 + 7 * 1016 && books.counters.bytes_written() == file.size());
  CHECK(books.ledger[0].lost_bytes == (OutputFile::kMostRecords - 7) * 1000);
}

// The same records as one span.
void full_disk_with_span() {
  FullDisk disk(24 + 7 * 1016 + 500);
  TemporaryFile file;
  Books books(1);
  OutputFile output(file.fd, FileFormat::pcap, books.counters);
  output.write_or_take_back(std::vector<uint8_t>(24));
  constexpr uint32_t kRecords = 40;
  std::vector<uint8_t> span(kRecords * 1016);
  const RecordHead head{1'500'000'000'000'000'000, 1000, 1000, 0, 0, Direction::rx};
  for (uint32_t i = 0; i < kRecords; i++) write_record_head(kPcap, head, &span[i * 1016]);
  output.write_span({span.data(), static_cast<uint32_t>(span.size()), kRecords, 0, 0});
  output.close();
  disk.end();
  CHECK(books.counters.failure() == EFBIG && books.ledger[0].lost == kRecords - 7);
  CHECK(file.size() == 24 + 7 * 1016 && books.counters.bytes_written() == file.size());
  CHECK(books.ledger[0].lost_bytes == (kRecords - 7) * 1000);
}

// A span may be another process's memory, which writes what it likes.
void full_disk_with_broken_span() {
  FullDisk disk(100);
  TemporaryFile file;
  Books books(1);
  OutputFile output(file.fd, FileFormat::pcap, books.counters);
  const std::vector<uint8_t> span(4096, 0xff);
  output.write_span({span.data(), static_cast<uint32_t>(span.size()), 10, 0, 0});
  output.close();
  disk.end();
  CHECK(books.counters.failure() == EFBIG && books.ledger[0].lost == 10);
  CHECK(file.size() == 0);
}

void closed_pipe() {
  signal(SIGPIPE, SIG_IGN);
  int ends[2];
  CHECK(pipe(ends) == 0);
  std::atomic<int> told{0};
  Books books(1, [&] { told++; });
  FileSink sink(ends[1], options(), books.counters);
  close(ends[0]);
  while (told == 0) std::this_thread::yield();  // noticed without a packet to write
  CHECK(sink.counters().failure() == EPIPE);
  Packets packets;
  packets.add_sized(5, 60);
  put(sink, packets.burst());
  sink.finish({});
  CHECK(books.ledger[0].lost == 5 && books.ledger[0].lost_bytes == 5 * 60 && told == 1);
}

// A reader that never reads holds finish() up for no longer than it says.
void stalled_reader() {
  int ends[2];
  CHECK(pipe(ends) == 0);
  Books books(1);
  FileSink sink(ends[1], options(), books.counters);
  Packets packets;
  packets.add_sized(3000, 1000);
  put(sink, packets.burst());
  sink.finish({});
  CHECK(sink.counters().failure() == ETIMEDOUT);
  // What is in the pipe now are whole records and at most one torn one, which was counted as lost.
  const uint64_t in_pipe = (sink.counters().bytes_written() - 24) / 1016;
  CHECK(books.ledger[0].lost == 3000 - in_pipe);
  close(ends[0]);
}

}  // namespace

void test_file_sink() {
  whole_file();
  alone_on_a_cpu();
  what_never_stalls();
  in_a_hurry();
  straight_to_disk();
  byte_limit();
  full_disk();
  full_disk_in_place();
  full_disk_with_span();
  full_disk_with_broken_span();
  closed_pipe();
  stalled_reader();
}
