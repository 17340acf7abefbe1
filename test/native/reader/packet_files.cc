#include <string>
#include <vector>

#include "base/error.h"
#include "byte_feed.h"
#include "file_bytes.h"
#include "reader/format/packet_file.h"
#include "reader/format/packet_time.h"
#include "tap.h"

using namespace dpcap;

namespace {

constexpr uint64_t kSecond = 1'000'000'000;

struct Read {
  struct Packet {
    uint32_t interface;
    uint64_t time_ns;
    uint32_t len;
    std::string bytes;
    std::vector<uint8_t> options;
  };
  std::vector<Packet> packets;
  std::vector<FileInterface> interfaces;
  std::string comment;
  std::string error;
  bool is_cut = false;
  uint32_t waits = 0;
};

void take(PacketFile& file, Read* read) {
  FilePacket packet{};
  for (PacketFile::Next next; (next = file.next(&packet)) != PacketFile::Next::end;) {
    if (next == PacketFile::Next::not_yet) {
      read->waits++;
      continue;
    }
    const std::string bytes(reinterpret_cast<const char*>(packet.bytes), packet.caplen);
    read->packets.push_back({packet.interface, packet.time_ns, packet.len, bytes, packet.options});
  }
  read->is_cut = file.is_cut();
}

Read read_all(const std::vector<uint8_t>& bytes, size_t piece = 0, bool is_pipe = false) {
  ByteFeed feed(bytes, piece);
  Window window(feed);
  Read read;
  try {
    while (window.need(kFormatBytes) == Window::Has::not_yet) {
    }
    const auto file = packet_file(window, {});
    if (is_pipe) {
      while (!file->read_head()) {
      }
      file->expect_no_interfaces();
    }
    try {
      take(*file, &read);
    } catch (const Error& error) {
      read.error = error.what();
    }
    read.interfaces = file->interfaces();
    read.comment = file->comment();
  } catch (const Error& error) {
    read.error = error.what();
  }
  return read;
}

bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

void pcap() {
  for (const Order order : {Order::own, Order::other}) {
    for (const bool is_nano : {false, true}) {
      FileBytes file(order);
      file.pcap_head(is_nano ? 0xa1b23c4d : 0xa1b2c3d4, 96, 113);
      file.pcap_record(7, 5, "abc", 60).pcap_record(8, 999999, std::string(96, 'x'), 96).pcap_record(9, 0, "", 0);
      for (const size_t piece : {0, 1, 5, 64}) {
        const Read read = read_all(file.bytes, piece);
        CHECK(read.error.empty() && !read.is_cut && read.packets.size() == 3);
        CHECK(read.packets[0].time_ns == 7 * kSecond + (is_nano ? 5 : 5000) && read.packets[0].bytes == "abc");
        CHECK(read.packets[0].len == 60 && read.packets[1].bytes == std::string(96, 'x'));
        CHECK(read.interfaces.size() == 1 && read.interfaces[0].link_type == 113 && read.interfaces[0].snaplen == 96);
        CHECK((read.waits > 0) == (piece != 0));
      }
    }
  }
}

// Cut anywhere, a file gives the packets before the cut, and says that it is cut unless that is between two of them.
void cut_pcap() {
  FileBytes file;
  file.pcap_head().pcap_record(1, 0, "abc", 3);
  const size_t first = file.bytes.size();
  file.pcap_record(2, 0, "defg", 4);
  for (size_t size = 24; size <= file.bytes.size(); size++) {
    const Read read = read_all({file.bytes.begin(), file.bytes.begin() + static_cast<long>(size)});
    const bool is_between = size == 24 || size == first || size == file.bytes.size();
    CHECK_ALL(read.error.empty() && read.is_cut == !is_between);
    CHECK_ALL(read.packets.size() == (size == file.bytes.size() ? 2u : size >= first ? 1u : 0u));
  }
  for (size_t size = 4; size < 24; size++) {
    const Read read = read_all({file.bytes.begin(), file.bytes.begin() + static_cast<long>(size)});
    CHECK_ALL(has(read.error, "within the head of a pcap file"));
  }
}

void foreign_files() {
  CHECK(has(read_all({'h', 'e', 'l', 'l', 'o'}).error, "neither pcap nor pcapng"));
  FileBytes old;
  old.word(0xa1b2c3d4).half(3).half(0).word(0).word(0).word(1).word(1);
  CHECK(has(read_all(old.bytes).error, "version 3"));
  FileBytes huge;
  huge.pcap_head().pcap_record(1, 0, "a", 1).word(1).word(0).word(UINT32_MAX).word(1);
  const Read read = read_all(huge.bytes);
  CHECK(read.packets.size() == 1 && has(read.error, "at byte 41 claims 4294967295 bytes"));
}

void pcapng() {
  for (const Order order : {Order::own, Order::other}) {
    FileBytes file(order);
    file.section("a comment").interface("eth0").block(0xbad, file.part().raw(std::string(3'000'000, 'z')));
    FileBytes body = file.part().half(101).half(0).word(68);
    body.option(2, "tun0").option(3, "a tunnel").option(11, std::string(1, '\0') + "tcp").option(1, "kept");
    body.option(9, std::string(1, '\x09')).option(14, file.part().wide(100)).option(8, file.part().wide(1234));
    file.block(1, body.end_of_options());
    FileBytes packet = file.enhanced_body(1, 5 * kSecond + 7, "abcde", 1500);
    packet.option(2, file.part().word(1)).option(1, "hello").end_of_options();
    file.block(6, packet).enhanced(0, 6'000'001, "x", 1);
    file.block(3, file.part().word(70).raw(std::string(70, 's')));
    file.block(2, file.part().half(1).half(3).word(0).word(9).word(2).word(2).raw("ob"));
    for (const size_t piece : {0, 1 << 16, 3}) {
      const Read read = read_all(file.bytes, piece, true);
      CHECK(read.error.empty() && !read.is_cut && read.packets.size() == 4 && read.comment == "a comment");
      CHECK(read.interfaces.size() == 2);
      const FileInterface& tunnel = read.interfaces[1];
      CHECK(tunnel.name == "tun0" && tunnel.description == "a tunnel" && tunnel.filter == "tcp");
      CHECK(tunnel.link_type == 101 && tunnel.snaplen == 68);
      FileBytes kept;
      CHECK(tunnel.options == kept.option(1, "kept").option(8, kept.part().wide(1234)).bytes);
      const Read::Packet& first = read.packets[0];
      CHECK(first.interface == 1 && first.time_ns == 105 * kSecond + 7 && first.bytes == "abcde" && first.len == 1500);
      FileBytes options;
      CHECK(first.options == options.option(2, options.part().word(1)).option(1, "hello").bytes);
      CHECK(read.packets[1].time_ns == 6 * kSecond + 1000 && read.packets[1].options.empty());
      CHECK(read.packets[2].interface == 0 && read.packets[2].bytes == std::string(70, 's'));
      CHECK(read.packets[3].interface == 1 && read.packets[3].bytes == "ob");
    }
  }
}

// Sections have a byte order and interfaces of their own; what they say in the same words is the same interface.
void sections() {
  FileBytes file, other(Order::other);
  file.section().interface("a").interface("b").enhanced(1, 1, "1", 1);
  other.section().interface("b").interface("c").interface("b").enhanced(0, 2, "2", 1).enhanced(2, 3, "3", 1);
  file.bytes.insert(file.bytes.end(), other.bytes.begin(), other.bytes.end());
  const Read read = read_all(file.bytes);
  CHECK(read.error.empty() && read.packets.size() == 3 && read.interfaces.size() == 4);
  CHECK(read.packets[0].interface == 1 && read.packets[1].interface == 1 && read.packets[2].interface == 3);
  const Read pipe = read_all(file.bytes, 0, true);
  CHECK(pipe.packets.size() == 1 && has(pipe.error, "tells of interface \"c\" behind packets"));
}

// What a file claims of itself is never believed.
void hostile() {
  const auto error_of = [](const FileBytes& file) { return read_all(file.bytes).error; };
  const auto begun = [] { return FileBytes().section().interface("a"); };
  CHECK(has(error_of(FileBytes().word(0x0a0d0d0a).word(28).word(0x11223344).raw(std::string(16, 0))), "byte order"));
  CHECK(has(error_of(begun().enhanced(1, 0, "x", 1)), "of interface 1, of which nothing was told"));
  CHECK(has(error_of(FileBytes().section().block(3, FileBytes().word(0))), "of interface 0"));
  for (const uint32_t size : {0u, 8u, 13u}) CHECK(has(error_of(begun().word(6).word(size)), "which none has"));
  CHECK(has(error_of(begun().word(6).word(UINT32_MAX - 3)), "longer than any of its kind"));
  CHECK(has(error_of(begun().block(6, FileBytes().word(0).word(0))), "too short for a packet"));
  const FileBytes claims = FileBytes().word(0).word(0).word(0).word(9).word(9).raw("12345678");
  CHECK(has(error_of(begun().block(6, claims)), "claims 9 bytes of packet, and has room for 8"));
  FileBytes torn = begun().enhanced(0, 0, "x", 1);
  torn.bytes.back() ^= 1;
  CHECK(has(error_of(torn), "two lengths differ"));
  CHECK(has(error_of(FileBytes().section().block(1, FileBytes().word(1))), "too short for an interface"));
  FileBytes many;
  many.section();
  for (int i = 0; i < 1025; i++) many.interface("");
  CHECK(has(error_of(many), "more than 1024 interfaces"));
  // An option that ends behind its block is no option, and the packet is one all the same.
  FileBytes body = FileBytes().enhanced_body(0, 0, "x", 1);
  const Read read = read_all(begun().block(6, body.half(1).half(900)).bytes);
  CHECK(read.error.empty() && read.packets.size() == 1 && read.packets[0].options.empty());
}

void cut_pcapng() {
  FileBytes file;
  file.section().interface("a").enhanced(0, 0, "abc", 3);
  const size_t whole = file.bytes.size();
  file.block(0xbad, file.part().raw("something"));
  for (size_t size = whole; size <= file.bytes.size(); size++) {
    const Read read = read_all({file.bytes.begin(), file.bytes.begin() + static_cast<long>(size)});
    CHECK_ALL(read.error.empty() && read.packets.size() == 1);
    CHECK_ALL(read.is_cut == (size != whole && size != file.bytes.size()));
  }
}

void times() {
  CHECK(time_in_ns(5, 6, 0) == 5000 && time_in_ns(5, 9, 0) == 5 && time_in_ns(5, 0, 0) == 5 * kSecond);
  CHECK(time_in_ns(5'999, 12, 0) == 5 && time_in_ns(UINT64_MAX, 127, 0) == 0);
  CHECK(time_in_ns(3, 0x81, 0) == 1'500'000'000 && time_in_ns(1u << 10, 0x8a, 0) == kSecond);
  CHECK(time_in_ns(UINT64_MAX, 0xff, 0) == 0 && time_in_ns(UINT64_MAX, 0xc0, 0) == kSecond - 1);
  CHECK(time_in_ns(1, 0, 10) == 11 * kSecond && time_in_ns(10, 0, -1) == 9 * kSecond);
  CHECK(time_in_ns(UINT64_MAX, 0, 0) == UINT64_MAX && time_in_ns(0, 6, INT64_MIN) == 0);
}

}  // namespace

void test_packet_files() {
  pcap();
  cut_pcap();
  foreign_files();
  pcapng();
  sections();
  hostile();
  cut_pcapng();
  times();
}
