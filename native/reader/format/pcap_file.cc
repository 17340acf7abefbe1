#include "reader/format/pcap_file.h"

#include <cstring>
#include <string>
#include <utility>

#include "base/error.h"

namespace dpcap {
namespace {

constexpr size_t kFileHeadBytes = 24;
constexpr size_t kRecordHeadBytes = 16;
constexpr uint32_t kMicro = 0xa1b2c3d4, kNano = 0xa1b23c4d;
constexpr uint32_t kVersion = 2;
// The rest of the word tells how long a frame check sequence is, which nothing here asks for.
constexpr uint32_t kLinkTypeBits = 0xffff;

[[noreturn]] void refuse(const std::string& what) { throw Error("ERR_INPUT_FILE", what); }

}  // namespace

bool PcapFile::is_magic(uint32_t word) {
  return word == kMicro || word == kNano || word == __builtin_bswap32(kMicro) || word == __builtin_bswap32(kNano);
}

uint32_t PcapFile::word(size_t at) const {
  uint32_t value;
  memcpy(&value, window_.bytes() + at, sizeof value);
  return is_swapped_ ? __builtin_bswap32(value) : value;
}

bool PcapFile::read_head() { return begin() != Window::Has::not_yet; }

Window::Has PcapFile::begin() {
  if (has_begun_) return Window::Has::all;
  const Window::Has has = window_.need(kFileHeadBytes);
  if (has == Window::Has::not_yet) return has;
  if (has == Window::Has::ended) refuse("it ends within the head of a pcap file");
  is_swapped_ = word(0) != kMicro && word(0) != kNano;
  is_nano_ = word(0) == kNano;
  const uint32_t version = word(4);
  const uint32_t major = is_swapped_ ? version >> 16 : version & 0xffff;
  if (major != kVersion) refuse("it is a pcap file of version " + std::to_string(major) + ", which is not known here");
  FileInterface interface;
  interface.snaplen = word(16);
  interface.link_type = static_cast<uint16_t>(word(20) & kLinkTypeBits);
  interfaces_ = {interface};
  window_.take(kFileHeadBytes);
  has_begun_ = true;
  return has;
}

PacketFile::Next PcapFile::next(FilePacket* packet) {
  window_.take(std::exchange(last_bytes_, 0));
  Window::Has has = begin();
  if (has == Window::Has::all) has = window_.need(kRecordHeadBytes);
  if (has == Window::Has::all) {
    packet->caplen = word(8);
    if (packet->caplen > kMostPacketBytes)
      refuse("the record at byte " + std::to_string(window_.offset()) + " claims " + std::to_string(packet->caplen) +
             " bytes of packet, more than any has");
    has = window_.need(kRecordHeadBytes + packet->caplen);
  }
  if (has != Window::Has::all) return has == Window::Has::ended ? Next::end : Next::not_yet;
  packet->interface = 0;
  packet->time_ns = word(0) * uint64_t{1000000000} + word(4) * uint64_t{is_nano_ ? 1u : 1000u};
  packet->len = word(12);
  packet->bytes = window_.bytes() + kRecordHeadBytes;
  packet->options.clear();
  last_bytes_ = kRecordHeadBytes + packet->caplen;
  return Next::packet;
}

}  // namespace dpcap
