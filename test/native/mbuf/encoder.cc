#include "mbuf/encoder.h"

#include <string>
#include <vector>

#include "copies.h"
#include "record/block.h"
#include "tap.h"

using namespace dpcap;

namespace {

struct OwnRoom {
  std::vector<uint8_t> bytes = std::vector<uint8_t>(Block::kStride);
  Room room(size_t goal = Block::kBytes) { return {bytes.data(), Block::kBytes, goal}; }
  std::string text(size_t size) const { return {reinterpret_cast<const char*>(bytes.data()), size}; }
};

void add_word(std::vector<uint8_t>& out, uint64_t word) {
  for (int bit = 0; bit < 32; bit += 8) out.push_back(static_cast<uint8_t>(word >> bit));
}

// The record of one packet as the drafts of pcap (section 5) and pcapng (4.3) have it, word by word; the options are
// epb_flags (direction) and epb_queue.
std::string expected(const FileOptions& options, uint64_t time_ns, Direction direction,
                     const std::vector<uint8_t>& bytes, uint32_t len) {
  const uint64_t units = options.nanoseconds ? time_ns : time_ns / 1000;
  const uint64_t second = options.nanoseconds ? 1'000'000'000 : 1'000'000;
  std::vector<uint8_t> out;
  if (options.format == FileFormat::pcap) {
    for (const uint64_t word : {units / second, units % second, uint64_t{bytes.size()}, uint64_t{len}}) {
      add_word(out, word);
    }
    out.insert(out.end(), bytes.begin(), bytes.end());
    return {out.begin(), out.end()};
  }
  const uint64_t padded = (bytes.size() + 3) / 4 * 4;
  const uint64_t length = 28 + padded + 8 + 8 + 4 + 4;
  for (const uint64_t word :
       {uint64_t{6}, length, uint64_t{1}, units >> 32, units, uint64_t{bytes.size()}, uint64_t{len}}) {
    add_word(out, word);
  }
  out.insert(out.end(), bytes.begin(), bytes.end());
  out.resize(28 + padded);
  const uint64_t inbound_or_outbound = direction == Direction::rx ? 1 : 2;
  for (const uint64_t word :
       {uint64_t{2 | 4 << 16}, inbound_or_outbound, uint64_t{6 | 4 << 16}, uint64_t{7}, uint64_t{0}, length}) {
    add_word(out, word);
  }
  return {out.begin(), out.end()};
}

// Every size and way to lie in mbufs gives the same bytes, copied and in place.
void same_bytes(const FileOptions& options, CopyMode mode, Direction direction) {
  const Encoder encoder(options, mode);
  for (const uint32_t size : {14, 59, 60, 64, 65, 255, 256, 257, 1518, 9000}) {
    const auto payload = numbered(size);
    const auto bytes = mode == CopyMode::stamped ? stamped(payload, size + 5) : payload;
    const uint32_t len = mode == CopyMode::stamped ? size + 5 : size;
    auto cut = payload;
    cut.resize(std::min(size, options.snaplen));
    for (const size_t segment : {9999, 700}) {
      for (const uint16_t room : {64, 0}) {
        Packets packets(0, direction);
        packets.add(bytes, segment, room).add(bytes, segment, room);
        const Burst burst = packets.burst();
        const std::string first = expected(options, burst.arrival_ns[0], direction, cut, len);
        const std::string second = expected(options, burst.arrival_ns[1], direction, cut, len);
        OwnRoom own;
        const auto [count, used, packet_bytes] = encoder.fill(burst, 0, own.room());
        CHECK(count == 2 && own.text(used) == first + second && packet_bytes == 2 * cut.size());
        CHECK(encoder.most_size(burst, 0) >= first.size());
        iovec record;
        const bool in_pieces = mode == CopyMode::stamped ? size + 28 > segment : size > segment;
        if (encoder.wrap(burst, 1, &record) == cut.size()) {
          CHECK(std::string(static_cast<char*>(record.iov_base), record.iov_len) == second);
        } else {
          CHECK(room == 0 || (in_pieces && cut.size() > 600));
        }
      }
    }
  }
}

// Room is filled to its goal, and never beyond its end.
void full_room() {
  const Encoder encoder(kPcap, CopyMode::plain);
  Packets packets;
  packets.add_sized(200, 9000);
  OwnRoom own;
  const auto some = encoder.fill(packets.burst(), 0, own.room(20000));
  CHECK(some.packets == 3 && some.size == 3 * 9016 && some.bytes == 3 * 9000);
  const auto all = encoder.fill(packets.burst(), 0, own.room());
  CHECK(all.packets == Block::kBytes / 9016 && all.size == all.packets * 9016);
  const auto none = encoder.fill(packets.burst(), 0, {own.bytes.data(), 9015, Block::kBytes});
  CHECK(none.packets == 0 && none.size == 0 && none.bytes == 0);
}

// What is said of a packet beside its bytes goes behind the other options, and makes the block longer.
void told_options() {
  const FileOptions options{FileFormat::pcapng, true, 262144};
  const Encoder encoder(options, CopyMode::plain);
  for (const uint32_t size : {61, 700}) {
    Packets packets;
    packets.add(numbered(size)).add(numbered(size));
    rte_mbuf* const hashed = packets.burst().mbufs[1];
    hashed->ol_flags = RTE_MBUF_F_RX_RSS_HASH;
    hashed->hash.rss = 0x01020304;
    OwnRoom own;
    const auto [count, used, bytes] = encoder.fill(packets.burst(), 0, own.room());
    const std::string plain = expected(options, packets.burst().arrival_ns[0], Direction::rx, numbered(size), size);
    std::string telling = expected(options, packets.burst().arrival_ns[1], Direction::rx, numbered(size), size);
    const auto grow = [&](std::string& record, const std::string& option) {
      record.insert(record.size() - 8, option);
      const auto length = static_cast<uint32_t>(record.size());
      memcpy(&record[4], &length, sizeof length);
      memcpy(&record[record.size() - 4], &length, sizeof length);
    };
    grow(telling, {"\3\0\5\0\5\1\2\3\4\0\0\0", 12});
    CHECK(count == 2 && bytes == 2 * size && own.text(used) == plain + telling);
    iovec record;
    CHECK(encoder.wrap(packets.burst(), 1, &record) == size);
    CHECK(std::string(static_cast<char*>(record.iov_base), record.iov_len) == telling);
    CHECK(encoder.fill(packets.burst(), 1, {own.bytes.data(), telling.size() - 1, Block::kBytes}).packets == 0);
    const auto one = encoder.fill(packets.burst(), 1, own.room());
    const size_t all = one.size + encoder.tell_lost(own.bytes.data(), 258);
    grow(telling, {"\4\0\10\0\2\1\0\0\0\0\0\0", 12});
    CHECK(own.text(all) == telling && encoder.most_size(packets.burst(), 1) >= all);
  }
}

// Each lane has a snaplen of its own beside that of the file.
void lane_snaplen() {
  const Encoder encoder({FileFormat::pcapng, true, 1000}, CopyMode::plain);
  const LaneRule rule{96, 0};
  Packets packets(0, Direction::rx, rule);
  packets.add(numbered(1518));
  OwnRoom own;
  encoder.fill(packets.burst(), 0, own.room());
  CHECK(stored_caplen(FileFormat::pcapng, own.bytes.data()) == 96);
  CHECK(stored_len(FileFormat::pcapng, own.bytes.data()) == 1518);
  iovec record;
  CHECK(encoder.wrap(packets.burst(), 0, &record) == 96 && encoder.recorded_bytes(packets.burst(), 0) == 96);
}

}  // namespace

void test_encoder() {
  for (const FileFormat format : {FileFormat::pcap, FileFormat::pcapng}) {
    for (const CopyMode mode : {CopyMode::plain, CopyMode::stamped}) {
      same_bytes({format, true, 262144}, mode, Direction::rx);
      same_bytes({format, false, 100}, mode, Direction::tx);
    }
  }
  full_room();
  told_options();
  lane_snaplen();
}
