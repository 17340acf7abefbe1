// Ways to the disk, and that a file is the same whichever its blocks took.
#include "sink/disk/direct_io.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <random>
#include <vector>

#include "books.h"
#include "full_disk.h"
#include "sink/output_file.h"
#include "tap.h"
#include "temporary_file.h"

using namespace dpcap;

namespace {

constexpr uint64_t kMs = 1'000'000, kSecond = 1'000'000'000;
constexpr size_t kMib = 1 << 20;
constexpr size_t kRecord = 16 + 84;

// Straight while nothing piles up, whatever it takes; through the cache, when something does and that is much faster.
void way() {
  DirectIoPolicy way;
  CHECK(way.choose(Backlog::small, 0) == DirectIoPolicy::straight);
  way.took(DirectIoPolicy::straight, kMib, 2 * kMs, 0);
  CHECK(way.choose(Backlog::large, 0) == DirectIoPolicy::cached);  // worth a try
  way.took(DirectIoPolicy::cached, kMib, 2 * kMs, 0);
  CHECK(way.choose(Backlog::large, kMs) == DirectIoPolicy::straight);  // not worth the CPU

  way.took(DirectIoPolicy::straight, kMib, 400 * kMs, 0);  // one stall
  CHECK(way.choose(Backlog::large, kMs) == DirectIoPolicy::straight);
  for (int i = 0; i < 3; i++) way.took(DirectIoPolicy::straight, kMib, 400 * kMs, 0);  // a slow disk
  CHECK(way.choose(Backlog::large, kMs) == DirectIoPolicy::cached);
  CHECK(way.choose(Backlog::small, kSecond) ==
        DirectIoPolicy::cached);  // the disk is busy with what the cache has taken

  way.took(DirectIoPolicy::cached, kMib, 5 * kMs, 9 * kSecond);
  CHECK(way.choose(Backlog::large, 9 * kSecond) == DirectIoPolicy::cached);
  CHECK(way.choose(Backlog::large, 11 * kSecond) == DirectIoPolicy::straight);  // tried again
  way.took(DirectIoPolicy::straight, kMib, 400 * kMs, 11 * kSecond);
  CHECK(way.choose(Backlog::large, 12 * kSecond) == DirectIoPolicy::cached);
  CHECK(way.choose(Backlog::small, 40 * kSecond) == DirectIoPolicy::straight);
}

// There is nothing but the ordinary way into a pipe, and behind what is in a file already.
void refused() {
  int ends[2];
  CHECK(pipe(ends) == 0);
  CHECK(!DirectIo::of(ends[1]));
  close(ends[0]);
  close(ends[1]);
  TemporaryFile file;
  CHECK(write(file.fd, "x", 1) == 1 && !DirectIo::of(file.fd));
  CHECK(ftruncate(file.fd, 0) == 0 && !DirectIo::of(file.fd));  // would leave a hole
  CHECK(lseek(file.fd, 0, SEEK_SET) == 0 && fcntl(file.fd, F_SETFL, O_APPEND) == 0 && !DirectIo::of(file.fd));
  close(file.fd);
}

// Blocks of records of 100 bytes, one behind the other in a file; a counter in each, to tell them apart.
class Stream {
 public:
  explicit Stream(size_t start) : end_(start) {}

  Block* add(uint32_t records) {
    Block& block = blocks_.emplace_back();
    void* memory = nullptr;
    if (posix_memalign(&memory, Block::kPage, Block::kStride) != 0) abort();
    block.memory = static_cast<uint8_t*>(memory);
    block.begin_at(end_);
    for (uint32_t i = 0; i < records; i++) {
      uint32_t words[kRecord / 4] = {0, 0, kRecord - 16, kRecord - 16, ++counter_};
      memcpy(block.bytes + block.used, words, kRecord);
      block.used += kRecord;
    }
    block.add_share(0, records);
    end_ += block.used;
    return &block;
  }
  ~Stream() {
    for (Block& block : blocks_) free(block.memory);
  }

 private:
  std::deque<Block> blocks_;
  uint64_t end_;
  uint32_t counter_ = 0;
};

// Whether `file` is the header and records 1 to `count`.
bool holds(const TemporaryFile& file, size_t header, uint32_t count) {
  if (file.size() != header + count * kRecord) return false;
  const std::vector<uint8_t> bytes = file.bytes();
  for (uint32_t i = 0; i < count; i++) {
    uint32_t counter;
    memcpy(&counter, &bytes[header + i * kRecord + 16], sizeof counter);
    if (counter != i + 1) return false;
  }
  return true;
}

// Blocks of all sizes, one or several at once, in a hurry or not: after each write the file is all there was so far.
void every_mixture(unsigned seed) {
  std::mt19937 random(seed);
  const auto upto = [&](size_t most) { return 1 + static_cast<uint32_t>(random() % most); };
  const size_t header = upto(9000);
  TemporaryFile file;
  Books books(1);
  OutputFile output(file.fd, FileFormat::pcap, books.counters);
  output.write_or_take_back(std::vector<uint8_t>(header));
  Stream stream(header);
  uint32_t records = 0;
  for (int i = 0; i < 30; i++) {
    Blocks blocks;
    for (uint32_t count = upto(4); count > 0; count--) {
      const uint32_t of_block = upto(random() % 3 == 0 ? 30 : Block::kBytes / kRecord);
      blocks.push_back(stream.add(of_block));
      records += of_block;
    }
    output.write_blocks(blocks, random() % 4 == 0 ? Backlog::large : Backlog::small);
    CHECK_ALL(file.size() == header + records * kRecord && books.counters.bytes_written() == file.size());
  }
  output.write_or_take_back({1, 2, 3});
  output.close();
  CHECK(books.counters.failure() == 0 && books.ledger[0].lost == 0);
  CHECK(truncate(file.path.c_str(), static_cast<off_t>(header + records * kRecord)) == 0);
  CHECK(holds(file, header, records));
}

// Where the file system can, large blocks leave nothing in the page cache but the end of the last; small ones do.
void past_the_page_cache() {
  TemporaryFile file;
  Books books(1);
  OutputFile output(file.fd, FileFormat::pcap, books.counters);
  output.write_or_take_back(std::vector<uint8_t>(24));
  Stream stream(24);
  for (int i = 0; i < 4; i++) output.write_blocks({stream.add(10000), stream.add(10000)}, Backlog::small);
  if (!file.can_go_straight()) return note("/tmp has no O_DIRECT");
  CHECK(output.is_direct());
  CHECK(file.pages_in_cache() <= 1);
  for (int i = 0; i < 4; i++) output.write_blocks({stream.add(1000)}, Backlog::small);
  CHECK(file.pages_in_cache() > 4 * 1000 * kRecord / Block::kPage);
  output.write_blocks({stream.add(10000)}, Backlog::small);
  output.close();
  CHECK(books.counters.failure() == 0 && holds(file, 24, 94000));
}

// A file size limit stands for a full disk, which comes in the middle of several blocks, or at the end of a page,
// where a write straight to the disk is refused as a whole, and the ordinary one after it as well.
void full_disk() {
  const size_t to_whole_pages = Block::kPage - 5000 * kRecord % Block::kPage;
  struct Case {
    size_t header;
    uint32_t fitting;
    size_t torn;
  };
  for (const auto& [header, fitting, torn] :
       {Case{24, 5000, 50}, {24, 10000, 50}, {24, 15002, 50}, {24, 29998, 50}, {to_whole_pages, 5000, 0}}) {
    FullDisk disk(header + fitting * kRecord + torn);
    TemporaryFile file;
    Books books(1);
    OutputFile output(file.fd, FileFormat::pcap, books.counters);
    output.write_or_take_back(std::vector<uint8_t>(header));
    Stream stream(header);
    output.write_blocks({stream.add(5000)}, Backlog::small);
    output.write_blocks({stream.add(10000), stream.add(10000), stream.add(5000)}, Backlog::small);
    output.write_blocks({stream.add(10000)}, Backlog::small);
    output.close();
    disk.end();
    CHECK(books.counters.failure() == EFBIG && books.ledger[0].lost == 40000 - fitting);
    CHECK(holds(file, header, fitting) && books.counters.bytes_written() == file.size());
  }
}

}  // namespace

void test_direct_io() {
  way();
  refused();
  for (unsigned seed = 1; seed <= 10; seed++) every_mixture(seed);
  past_the_page_cache();
  full_disk();
}
