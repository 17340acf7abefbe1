// Files that follow one another: each ends exactly where it is to end, and none loses or doubles a record.
#include "sink/rotation.h"

#include <sched.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/now.h"
#include "base/thread.h"
#include "copies.h"
#include "full_disk.h"
#include "sink/file_sink.h"
#include "tap.h"
#include "temporary_file.h"

using namespace dpcap;

namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr size_t kHeader = 24;
constexpr size_t kTrailer = 3;

// A sink whose files are taken from a folder, as the control thread does it.
struct Series {
  explicit Series(const RotationLimits& limits, const char* folder = "/tmp", size_t files_ahead = 1)
      : folder(folder), books(1), supply([this] { keep_supplied(); }), ahead(files_ahead) {
    FileSinkOptions options{FileFormat::pcap, 0, std::vector<uint8_t>(kHeader), Priority::normal};
    options.rotation.emplace(FileRotation{limits, 1, &supply,
                                          [this](const std::vector<uint64_t>& packets) {
                                            by_lane.push_back(packets[0]);
                                            return std::vector<uint8_t>{1, 2, 3};
                                          },
                                          [this] { told_last++; }});
    for (size_t i = 0; i < ahead; i++) supply_one();
    sink.emplace(files.emplace_front(this->folder).fd, std::move(options), books.counters);
  }

  void supply_one() {
    const std::lock_guard lock(mutex);
    supply.supply(files.emplace_back(folder).fd);
  }
  // The writer thread tells its turns outside of any lock.
  void keep_supplied() {
    for (const FileTurn& turn : supply.take_turns()) {
      if (turn.is_finished) finished.push_back(turn);
      if (!turn.is_finished && turn.number > 1 && ahead != 0) supply_one();
    }
  }

  // While the sink may still take files.
  size_t size_of(size_t file) {
    const std::lock_guard lock(mutex);
    return files[file].size();
  }

  std::string folder;
  std::mutex mutex;
  std::deque<TemporaryFile> files;
  Books books;
  FileSupply supply;
  const size_t ahead;
  std::vector<FileTurn> finished;
  std::vector<uint64_t> by_lane;
  int told_last = 0;
  std::optional<FileSink> sink;
};

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

// Packets that are still in their mbufs are cut as exactly.
void cut_copies() {
  Series series({.packets = 7, .files = 3});
  FileSink& sink = *series.sink;
  Packets packets;
  packets.add_sized(50, 84);
  sink.enter();
  CHECK(put(sink, packets.burst()) == 21);  // the third file is the last
  CHECK(sink.is_full() && series.told_last == 1);
  sink.finish({1, 2, 3});
  series.keep_supplied();
  CHECK(series.finished.size() == 3);
  for (size_t i = 0; i < 3; i++) CHECK(series.files[i].size() == kHeader + 7 * 100 + kTrailer);
  CHECK(series.files[3].size() == 0);
}

// A file that is full is finished at once, and no other begins before a packet comes.
void full_file_is_finished() {
  Series series({.packets = 5});
  FileSink& sink = *series.sink;
  Packets packets;
  packets.add_sized(5, 84);
  sink.enter();
  CHECK(put(sink, packets.burst()) == 5);
  while (series.size_of(0) != kHeader + 500 + kTrailer) std::this_thread::yield();
  sink.finish({1, 2, 3});
  series.keep_supplied();
  CHECK(series.finished.size() == 1 && series.files[1].size() == 0);
}

// Without a packet to write, the time of a file ends it.
void quiet_port() {
  Series series({.duration_ns = kSecond});
  FileSink& sink = *series.sink;
  Packets packets;
  packets.add_sized(5, 84);
  sink.enter();
  put(sink, packets.burst());
  sink.tick(now_ns(CLOCK_MONOTONIC), 0);
  sink.tick(now_ns(CLOCK_MONOTONIC) + 2 * kSecond, 0);
  while (series.size_of(0) != kHeader + 500 + kTrailer) std::this_thread::yield();
  sink.tick(now_ns(CLOCK_MONOTONIC) + 10 * kSecond, 0);
  put(sink, packets.burst());
  sink.finish({1, 2, 3});
  series.keep_supplied();
  CHECK(series.finished.size() == 2 && series.files[1].size() == kHeader + 500 + kTrailer);
}

// Records wait for a file that is late.
void late_file() {
  Series series({.packets = 5}, "/tmp", 0);
  FileSink& sink = *series.sink;
  Packets packets;
  packets.add_sized(20, 84);
  sink.enter();
  CHECK(put(sink, packets.burst()) == 20);
  for (int i = 0; i < 3; i++) series.supply_one();
  sink.finish({1, 2, 3});
  series.keep_supplied();
  CHECK(series.finished.size() == 4 && series.books.ledger[0].lost == 0);
}

// When there is no other file, what would be in it is lost, and counted; those before are whole.
void no_file() {
  Series series({.packets = 5}, "/tmp", 0);
  FileSink& sink = *series.sink;
  Packets packets;
  packets.add_sized(20, 84);
  sink.enter();
  series.supply.refuse(EACCES);
  put(sink, packets.burst());
  sink.finish({1, 2, 3});
  series.keep_supplied();
  CHECK(sink.counters().failure() == EACCES);
  CHECK(series.finished.size() == 1 && series.books.ledger[0].lost == 15);
  CHECK(series.files[0].size() == kHeader + 500 + kTrailer);
}

// The end is not held up by a file that does not come.
void no_answer() {
  Series series({.packets = 5}, "/tmp", 0);
  FileSink& sink = *series.sink;
  Packets packets;
  packets.add_sized(10, 84);
  sink.enter();
  put(sink, packets.burst());
  sink.finish({});
  CHECK(sink.counters().failure() == ETIMEDOUT && series.books.ledger[0].lost == 5);
}

// A disk that is full where a file begins, or ends: the files before are whole, and none has half a header or trailer.
void full_at_a_boundary(size_t room, size_t in_first) {
  FullDisk disk(room);
  Series series({.packets = 5});
  FileSink& sink = *series.sink;
  Packets packets;
  packets.add_sized(20, 84);
  sink.enter();
  put(sink, packets.burst());
  sink.finish({1, 2, 3});
  disk.end();
  series.keep_supplied();
  CHECK(sink.counters().failure() == EFBIG);
  CHECK(!series.finished.empty() && series.files[0].size() == in_first && series.finished[0].bytes == in_first);
  CHECK(series.books.ledger[0].lost == 20 - (in_first > kHeader ? (in_first - kHeader) / 100 : 0));
}

}  // namespace

void test_rotation() {
  ends_at_packets_and_bytes();
  ends_in_time();
  ends_with_the_clock();
  counts_files();
  cuts();
  cut_copies();
  full_file_is_finished();
  quiet_port();
  late_file();
  no_file();
  no_answer();
  full_at_a_boundary(kHeader - 1, 0);
  full_at_a_boundary(kHeader + 250, kHeader + 200);
  full_at_a_boundary(kHeader + 501, kHeader + 500);
}
