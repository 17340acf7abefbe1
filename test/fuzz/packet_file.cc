// Files of packets, made up by libFuzzer: pcap and pcapng as they are read for -r, compressed or not, in pieces of any
// size. The first byte of an input is the size of a piece.
#include "reader/format/packet_file.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <vector>

#include "base/error.h"
#include "native/reader/byte_feed.h"
#include "reader/input/decoded_source.h"

namespace {

using namespace dpcap;

constexpr size_t kWindowBytes = 256;  // so that it has to grow

// Each byte that a packet claims to have must be there: the sanitizer sees one that is not.
uint64_t sum_of(const FilePacket& packet) {
  uint64_t sum = packet.len;
  for (uint32_t i = 0; i < packet.caplen; i++) sum += packet.bytes[i];
  for (const uint8_t byte : packet.options) sum += byte;
  return sum;
}

void read_all(PacketFile& file) {
  FilePacket packet{};
  uint64_t sum = 0;
  for (PacketFile::Next next; (next = file.next(&packet)) != PacketFile::Next::end;) {
    if (next != PacketFile::Next::packet) continue;
    if (packet.interface >= file.interfaces().size() || packet.caplen > PacketFile::kMostPacketBytes ||
        packet.options.size() > PacketFile::kMostOptionBytes)
      abort();
    sum += sum_of(packet);
  }
  asm volatile("" : : "r"(sum));  // so that the bytes are looked at
  if (file.interfaces().size() > 1024) abort();
}

void read_input(const std::vector<uint8_t>& bytes, size_t piece) {
  ByteFeed feed(bytes, piece);
  std::optional<DecodedSource> decoded;
  const Codec codec = codec_of(bytes.data(), bytes.size());
  if (codec != Codec::none) decoded.emplace(feed, codec, std::vector<uint8_t>{});
  Window window(decoded ? static_cast<ByteSource&>(*decoded) : feed, kWindowBytes);
  Window::Has has;
  while ((has = window.need(kFormatBytes)) == Window::Has::not_yet) {
  }
  if (has == Window::Has::ended) return;
  read_all(*packet_file(window, {}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  try {
    read_input({data + 1, data + size}, data[0]);
  } catch (const dpcap::Error&) {
  }
  return 0;
}
