// How a sink changes from one file to the next: with copies, on time, with files that are late or do not come, on disks
// that are full.
#include <cerrno>
#include <thread>

#include "base/now.h"
#include "copies.h"
#include "full_disk.h"
#include "series.h"
#include "tap.h"

using namespace rotation_test;

namespace {

constexpr uint64_t kSecond = 1'000'000'000;

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

void test_file_change() {
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
