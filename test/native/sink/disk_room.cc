#include "sink/disk/disk_room.h"

#include <sys/statvfs.h>

#include <cstdint>

#include "books.h"
#include "copies.h"
#include "sink/file_sink.h"
#include "tap.h"
#include "temporary_file.h"

using namespace dpcap;

namespace {

constexpr uint64_t kMiB = 1 << 20;

// A disk, what is written to it, and how often it was asked.
struct Disk {
  uint64_t free;
  unsigned asked = 0;
  unsigned told = 0;

  DiskRoom room(uint64_t min_free) {
    return DiskRoom(
        min_free,
        [this] {
          asked++;
          return free;
        },
        [this] { told++; });
  }
  void write(DiskRoom& room, uint64_t bytes) {
    room.before(bytes);
    free -= bytes;
  }
};

// However large the pieces are, it is told before the first byte of what has to stay free is taken.
void told_in_time() {
  for (const uint64_t piece : {kMiB / 100, kMiB, 7 * kMiB}) {
    Disk disk{1000 * kMiB};
    DiskRoom room = disk.room(100 * kMiB);
    uint64_t before = 0;
    while (disk.told == 0) {
      before = disk.free;
      disk.write(room, piece);
    }
    CHECK(before >= 100 * kMiB && disk.free < 100 * kMiB + piece);
    CHECK(disk.asked < 100);  // seldom, while there is much
    disk.write(room, piece);
    CHECK(disk.told == 1);
  }
}

// What others write shows at the next question, which comes the sooner the less room there is.
void others_write() {
  Disk disk{1000 * kMiB};
  DiskRoom room = disk.room(100 * kMiB);
  disk.write(room, kMiB);
  disk.free = 150 * kMiB;
  disk.write(room, 100 * kMiB);
  CHECK(disk.told == 0);  // half of what was spare: not asked yet
  disk.write(room, 350 * kMiB);
  CHECK(disk.told == 1);
}

// A sink tells, and keeps what it was given.
void of_a_sink() {
  for (const bool is_low : {false, true}) {
    TemporaryFile file;
    Books books(1);
    bool told = false;
    FileSinkOptions options{FileFormat::pcap, 0, std::vector<uint8_t>(24), Priority::normal};
    options.min_free.emplace(MinFree{is_low ? UINT64_MAX / 2 : 1, [&] { told = true; }});
    FileSink sink(file.fd, std::move(options), books.counters);
    Packets packets;
    packets.add_sized(500, 60);
    put(sink, packets.burst());
    sink.finish({});
    CHECK(told == is_low);
    CHECK(books.ledger[0].lost == 0 && file.size() == 24 + 500 * 76);
  }
}

}  // namespace

void test_disk_room() {
  told_in_time();
  others_write();
  of_a_sink();
}
