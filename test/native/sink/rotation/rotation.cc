// Files that follow one another: each ends exactly where it is to end, and none loses or doubles a record.
#include "sink/rotation/rotation.h"

#include <sched.h>

#include <cstring>
#include <vector>

#include "base/now.h"
#include "base/thread.h"
#include "series.h"
#include "tap.h"

using namespace rotation_test;

namespace {

constexpr uint64_t kSecond = 1'000'000'000;

// The numbers in the packets of a file, whose sizes differ; empty for a file that is not whole.
std::vector<uint32_t> numbers_in(const TemporaryFile& file, size_t trailer) {
  const std::vector<uint8_t> bytes = file.bytes();
  std::vector<uint32_t> numbers;
  size_t at = kHeader;
  while (at + 16 <= bytes.size() - trailer) {
    uint32_t caplen, number;
    memcpy(&caplen, &bytes[at + 8], sizeof caplen);
    memcpy(&number, &bytes[at + 16], sizeof number);
    numbers.push_back(number);
    at += 16 + caplen;
  }
  return at + trailer == bytes.size() ? numbers : std::vector<uint32_t>{};
}

// Records with running numbers, of sizes that differ.
std::vector<uint8_t> records(uint32_t first, uint32_t count, size_t least) {
  std::vector<uint8_t> bytes;
  const FileOptions options{FileFormat::pcap, true, 262144};
  for (uint32_t number = first; number < first + count; number++) {
    const auto caplen = static_cast<uint32_t>(least + number % 100);
    const size_t at = bytes.size();
    bytes.resize(at + 16 + caplen);
    write_record_head(options, {number, caplen, caplen, 0, 0, Direction::rx}, &bytes[at]);
    memcpy(&bytes[at + 16], &number, sizeof number);
  }
  return bytes;
}

void ends_at_packets_and_bytes() {
  Rotation rotation({.bytes = 1000, .packets = 10}, 2);
  CHECK(rotation.is_between_files());
  rotation.begin({1, 1});
  rotation.add(1, 9);
  CHECK(!rotation.is_full(999) && rotation.packets_left() == 1 && rotation.bytes_left(999) == 1);
  CHECK(rotation.is_full(1000));
  rotation.add(0, 1);
  CHECK(rotation.is_full(0) && rotation.packets_by_lane() == (std::vector<uint64_t>{1, 9}));
  rotation.end();
  CHECK(rotation.is_between_files() && rotation.packets_left() == 10 && !rotation.has_all_files());
  CHECK(rotation.bytes_left(2000) == 1);  // a header that is larger than the file may be: one packet all the same
}

void ends_in_time() {
  Rotation rotation({.duration_ns = kSecond}, 1);
  CHECK(!rotation.is_due({5 * kSecond, 0}));  // no file
  rotation.begin({10 * kSecond, 0});
  CHECK(!rotation.is_due({11 * kSecond, 0}));  // an empty file begins anew
  rotation.add(0, 1);
  CHECK(!rotation.is_due({12 * kSecond - 1, 0}) && rotation.is_due({12 * kSecond, 0}));
}

// The clock decides, and may be set.
void ends_with_the_clock() {
  Rotation rotation({.interval_ns = 60 * kSecond}, 1);
  rotation.begin({0, 119 * kSecond});
  rotation.add(0, 1);
  CHECK(!rotation.is_due({0, 120 * kSecond - 1}) && rotation.is_due({0, 120 * kSecond}));
  CHECK(rotation.is_due({0, 50 * kSecond}));
}

void counts_files() {
  Rotation rotation({.packets = 1, .files = 2}, 1);
  for (int file = 0; file < 2; file++) {
    CHECK(!rotation.has_all_files());
    rotation.begin({});
    rotation.end();
  }
  CHECK(rotation.has_all_files());
}

// Whether a file of so many packets and bytes has reached a limit with its last record, and not before.
bool ends_right(const RotationLimits& limits, uint64_t packets, uint64_t bytes, uint64_t last_record) {
  const auto reached = [&](uint64_t so_many, uint64_t so_large) {
    return (limits.packets != 0 && so_many >= limits.packets) || (limits.bytes != 0 && so_large >= limits.bytes);
  };
  return reached(packets, bytes) && !reached(packets - 1, bytes - last_record);
}

// All ways into a file, with every size of record: the files end where they are to end, with all records in order.
void cut_exactly(const RotationLimits& limits, const char* folder, size_t least) {
  Series series(limits, folder);
  FileSink& sink = *series.sink;
  sink.enter();
  constexpr uint32_t kAll = 30'000, kSpan = 500;
  for (uint32_t first = 0; first < kAll; first += kSpan) {
    const std::vector<uint8_t> bytes = records(first, kSpan, least);
    const RecordSpan span{bytes.data(), static_cast<uint32_t>(bytes.size()), kSpan, 0, 0};
    if (sink.wants_in_place(bytes.size(), kSpan)) {
      sink.write_span(span);
    } else {
      sink.put(span);
    }
    sink.tick(now_ns(CLOCK_MONOTONIC), 0);
  }
  sink.flush();
  sink.leave();
  sink.finish({1, 2, 3});
  series.keep_supplied();
  CHECK(sink.counters().failure() == 0 && series.books.ledger[0].lost == 0);
  uint32_t next = 0;
  size_t written = 0;
  for (size_t i = 0; i < series.finished.size(); i++) {
    const TemporaryFile& file = series.files[i];
    const std::vector<uint32_t> numbers = numbers_in(file, kTrailer);
    for (const uint32_t number : numbers) CHECK_ALL(number == next++);
    const bool is_last = i + 1 == series.finished.size();
    if (!is_last) CHECK_ALL(series.by_lane[i] == numbers.size());
    if (!is_last)
      CHECK_ALL(ends_right(limits, numbers.size(), file.size() - kTrailer, 16 + least + numbers.back() % 100));
    CHECK_ALL(series.finished[i].number == i + 1 && series.finished[i].bytes == file.size());
    CHECK_ALL(series.finished[i].begin_ns != 0);
    written += file.size();
  }
  CHECK(next == kAll && series.finished.size() > 3);
  CHECK(sink.counters().bytes_written() == written);
}

void cuts() {
  for (const char* folder : {"/tmp", "/dev/shm"}) {
    cut_exactly({.packets = 700}, folder, 60);
    cut_exactly({.packets = 9000}, folder, 1000);
    cut_exactly({.bytes = 100'000}, folder, 60);
    cut_exactly({.bytes = 5'000'000}, folder, 1000);
    cut_exactly({.bytes = 88'000, .packets = 700}, folder, 60);
  }
  const CpuAffinityScope one({sched_getcpu()});  // the drain thread writes by itself
  cut_exactly({.bytes = 5'000'000}, "/dev/shm", 1000);
  cut_exactly({.packets = 5000}, "/dev/shm", 60);
}

}  // namespace

void test_rotation() {
  ends_at_packets_and_bytes();
  ends_in_time();
  ends_with_the_clock();
  counts_files();
  cuts();
}
