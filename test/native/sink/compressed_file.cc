#include "sink/compress/compressed_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <random>
#include <thread>
#include <vector>

#include "base/now.h"
#include "books.h"
#include "copies.h"
#include "full_disk.h"
#include "reader/input/decoded_source.h"
#include "reader/input/descriptor_source.h"
#include "sink/file_sink.h"
#include "tap.h"
#include "temporary_file.h"

using namespace dpcap;

namespace {

constexpr Codec kCodecs[] = {Codec::gzip, Codec::zstd, Codec::lz4};
constexpr size_t kRecord = 16 + 1000;

FileSinkOptions options(Codec codec, unsigned threads) {
  FileSinkOptions options{FileFormat::pcap, 0, std::vector<uint8_t>(24), Priority::normal};
  options.compression = {codec, 1, threads};
  return options;
}

struct Decoded {
  std::vector<uint8_t> bytes;
  bool is_cut;
};

Decoded decode(const TemporaryFile& file, Codec codec) {
  DescriptorSource from(open(file.path.c_str(), O_RDONLY | O_CLOEXEC));
  DecodedSource source(from, codec, {});
  Decoded decoded;
  std::vector<uint8_t> buffer(1 << 20);
  for (ssize_t got; (got = source.read(buffer.data(), buffer.size())) > 0;)
    decoded.bytes.insert(decoded.bytes.end(), buffer.begin(), buffer.begin() + got);
  decoded.is_cut = source.is_cut();
  return decoded;
}

// 500 packets that cannot be compressed, the first bytes of which are their numbers.
class RandomPackets {
 public:
  Burst burst(uint32_t first) {
    packets_.emplace_back();
    for (uint32_t i = 0; i < 500; i++) {
      std::vector<uint8_t> bytes(1000);
      std::generate(bytes.begin(), bytes.end(), [this] { return static_cast<uint8_t>(random_()); });
      const uint32_t number = first + i;
      memcpy(bytes.data(), &number, sizeof number);
      packets_.back().add(bytes);
    }
    return packets_.back().burst();
  }

 private:
  std::mt19937 random_;
  std::deque<Packets> packets_;
};

// How many records of numbered packets, in order, are behind the header; SIZE_MAX when they are anything else.
size_t records_in(const std::vector<uint8_t>& bytes) {
  size_t count = 0;
  for (size_t at = 24; at < bytes.size(); at += kRecord, count++) {
    uint32_t number;
    if (at + kRecord > bytes.size()) return SIZE_MAX;
    memcpy(&number, &bytes[at + 16], sizeof number);
    if (number != count) return SIZE_MAX;
  }
  return count;
}

// Several threads compress at the same time, and the packets are in order all the same.
void whole_file() {
  for (const Codec codec : kCodecs) {
    for (const unsigned threads : {1u, 3u}) {
      TemporaryFile file;
      Books books(1);
      FileSink sink(file.fd, options(codec, threads), books.counters);
      RandomPackets packets;
      sink.enter();
      for (uint32_t i = 0; i < 20; i++) CHECK_ALL(put(sink, packets.burst(i * 500)) == 500);
      sink.leave();
      sink.finish({1, 2, 3});
      CHECK(sink.counters().failure() == 0 && books.ledger[0].lost == 0);
      CHECK(sink.counters().bytes_written() == file.size());
      Decoded decoded = decode(file, codec);
      CHECK(!decoded.is_cut && decoded.bytes.size() == 24 + 20 * 500 * kRecord + 3);
      decoded.bytes.resize(decoded.bytes.size() - 3);
      CHECK(records_in(decoded.bytes) == 20 * 500);
    }
  }
}

// What was flushed can be read although the file has not been finished: each block is a frame of its own.
void unfinished_file() {
  for (const Codec codec : kCodecs) {
    TemporaryFile file;
    Books books(1);
    FileSink sink(file.fd, options(codec, 2), books.counters);
    RandomPackets packets;
    put(sink, packets.burst(0));
    sink.flush();
    while (!sink.has_sent_all()) std::this_thread::yield();
    put(sink, packets.burst(500));
    const Decoded decoded = decode(file, codec);
    CHECK(!decoded.is_cut && records_in(decoded.bytes) == 500);
    sink.finish({});
    CHECK(records_in(decode(file, codec).bytes) == 1000);
  }
}

// Of a frame that the disk has no room for, nothing is in the file, and its packets are lost.
void full_disk() {
  for (const Codec codec : kCodecs) {
    FullDisk disk(1'800'000);
    TemporaryFile file;
    Books books(1);
    FileSink sink(file.fd, options(codec, 3), books.counters);
    RandomPackets packets;
    for (uint32_t i = 0; i < 10; i++) put(sink, packets.burst(i * 500));
    sink.finish({1, 2, 3});
    disk.end();
    CHECK(sink.counters().failure() == EFBIG && sink.counters().bytes_written() == file.size());
    const Decoded decoded = decode(file, codec);
    const size_t records = records_in(decoded.bytes);
    CHECK(!decoded.is_cut && records >= 1000 && records < 2000);
    CHECK(books.ledger[0].lost == 5000 - records && books.ledger[0].lost_bytes == (5000 - records) * 1000);
  }
}

void closed_pipe() {
  signal(SIGPIPE, SIG_IGN);
  int ends[2];
  CHECK(pipe2(ends, O_CLOEXEC) == 0);
  Books books(1);
  FileSink sink(ends[1], options(Codec::zstd, 1), books.counters);
  close(ends[0]);
  while (sink.counters().failure() == 0) std::this_thread::yield();  // noticed without a packet to write
  RandomPackets packets;
  put(sink, packets.burst(0));
  sink.finish({});
  CHECK(sink.counters().failure() == EPIPE && books.ledger[0].lost == 500);
}

// What comes while all blocks wait to be compressed is lost: the drain thread goes on. What got through is whole.
void slow_compressor() {
  int ends[2];
  CHECK(pipe2(ends, O_CLOEXEC) == 0);
  Books books(1);
  FileSinkOptions lossy = options(Codec::lz4, 1);
  uint64_t told = 0;
  lossy.on_overflow = [&](uint32_t packets) { told += packets; };
  FileSink sink(ends[1], std::move(lossy), books.counters);
  RandomPackets packets;
  const Burst burst = packets.burst(0);
  uint64_t put_packets = 0;
  while (books.ledger[0].lost < 2000 && put_packets < 50'000) put_packets += put(sink, burst);  // nobody reads
  CHECK(books.ledger[0].lost >= 2000 && sink.counters().has(SinkRemark::slow));

  TemporaryFile file;
  std::thread reader([&] {
    std::vector<uint8_t> buffer(1 << 16);
    for (ssize_t got; (got = read(ends[0], buffer.data(), buffer.size())) > 0;) {
      CHECK(write(file.fd, buffer.data(), static_cast<size_t>(got)) == got);
    }
  });
  while (!sink.has_sent_all()) {
    sink.flush();
    std::this_thread::yield();
  }
  put_packets += put(sink, burst);  // there are blocks again
  const uint64_t lost = books.ledger[0].lost;
  sink.finish({});
  reader.join();
  close(ends[0]);
  const Decoded decoded = decode(file, Codec::lz4);
  CHECK(!decoded.is_cut && decoded.bytes.size() == 24 + (put_packets - lost) * kRecord);
  CHECK(books.ledger[0].lost == lost && books.ledger[0].lost_bytes == lost * 1000 && told == lost);
}

// Packets that come now and then share a frame: a frame of each would not be small.
void few_packets() {
  TemporaryFile file;
  Books books(1);
  FileSink sink(file.fd, options(Codec::zstd, 1), books.counters);
  Packets packets;
  packets.add_sized(1, 1000);
  uint64_t now = 10'000'000'000;
  const auto written_after_ms = [&](uint64_t ms) {
    put(sink, packets.burst());
    now += ms * 1'000'000;
    sink.tick(now, 0);
    while (!sink.has_sent_all() && ms > 1000) std::this_thread::yield();
    return sink.has_sent_all();
  };
  CHECK(written_after_ms(2000));  // the first one at once
  sink.tick(now, 0);
  CHECK(!written_after_ms(500));
  CHECK(written_after_ms(1001));
  CHECK(!written_after_ms(0));
  sink.request_flush();  // somebody wants to read it now
  sink.tick(now, 0);
  while (!sink.has_sent_all()) std::this_thread::yield();
  CHECK(decode(file, Codec::zstd).bytes.size() == 24 + 4 * kRecord);
  CHECK(!written_after_ms(0));
  sink.finish({});
  CHECK(decode(file, Codec::zstd).bytes.size() == 24 + 5 * kRecord);
}

}  // namespace

void test_compressed_file() {
  whole_file();
  unfinished_file();
  full_disk();
  closed_pipe();
  slow_compressor();
  few_packets();
}
