#include "reader/format/pcapng_file.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "reader/format/packet_time.h"
#include "record/pcap_format.h"

namespace dpcap {
namespace {

enum BlockType : uint32_t { kSection = 0x0a0d0d0a, kInterface = 1, kObsolete = 2, kSimple = 3, kEnhanced = 6 };
constexpr uint32_t kByteOrder = 0x1a2b3c4d;
constexpr size_t kHeadBytes = 8;           // type and length
constexpr size_t kTailBytes = 4;           // the length again
constexpr size_t kSectionBytes = 8 + 16;   // head, byte order, version, length of the section
constexpr size_t kInterfaceBytes = 8 + 8;  // head, link type, snaplen
constexpr size_t kSimpleBytes = 8 + 4;     // head, original length
constexpr uint16_t kMajor = 1;
constexpr size_t kMostInterfaces = 1024;
// Options that are told by other means than by being kept.
constexpr uint16_t kComment = 1, kName = 2, kDescription = 3, kResolution = 9, kFilter = 11, kOffset = 14;

std::string text_of(const PcapngOption& option) {
  return std::string(reinterpret_cast<const char*>(option.bytes), option.size);
}

[[noreturn]] void refuse(const std::string& what) { throw Error("ERR_INPUT_FILE", what); }

}  // namespace

PcapngFile::PcapngFile(Window& window, const std::vector<FileInterface>& known)
    : PacketFile(window), is_complete_(!known.empty()), is_taken_(known.size()) {
  interfaces_ = known;
}

bool PcapngFile::is_magic(uint32_t word) { return word == kSection; }

uint32_t PcapngFile::word(size_t at) const {
  uint32_t value;
  memcpy(&value, window_.bytes() + at, sizeof value);
  return is_swapped_ ? __builtin_bswap32(value) : value;
}

uint16_t PcapngFile::half_word(size_t at) const {
  uint16_t value;
  memcpy(&value, window_.bytes() + at, sizeof value);
  return is_swapped_ ? __builtin_bswap16(value) : value;
}

std::string PcapngFile::place() const { return "the block at byte " + std::to_string(window_.offset()); }

// Takes what is left of the last block, which may be longer than the window is.
Window::Has PcapngFile::skip() {
  while (skip_ > 0) {
    const Window::Has has = window_.need(1);
    if (has != Window::Has::all) return has;
    const size_t some = std::min<uint64_t>(skip_, window_.size());
    window_.take(some);
    skip_ -= some;
  }
  return Window::Has::all;
}

// Sees to it that the next block that is of interest is in the window. The others are skipped, however long they are.
Window::Has PcapngFile::find_block(BlockHead* head) {
  while (true) {
    Window::Has has = skip();
    if (has == Window::Has::all) has = window_.need(kHeadBytes);
    if (has != Window::Has::all) return has;
    // The type of a section's block reads the same in both byte orders, and tells which one is to come.
    head->type = word(0);
    if (head->type == kSection) {
      has = window_.need(kSectionBytes);
      if (has != Window::Has::all) return has;
      is_swapped_ = false;
      is_swapped_ = word(kHeadBytes) != kByteOrder;
      if (word(kHeadBytes) != kByteOrder) refuse(place() + " begins a section of no known byte order");
    } else if (!has_section_) {
      refuse("it is no pcapng file");
    }
    head->size = word(4);
    if (head->size % 4 != 0 || head->size < kHeadBytes + kTailBytes) {
      refuse(place() + " claims a length of " + std::to_string(head->size) + " bytes, which none has");
    }
    const bool is_known = head->type == kSection || head->type == kInterface || head->type == kObsolete ||
                          head->type == kSimple || head->type == kEnhanced;
    if (!is_known) {
      skip_ = head->size;
      continue;
    }
    if (head->size > Window::kMost) refuse(place() + " claims to be longer than any of its kind");
    has = window_.need(head->size);
    if (has != Window::Has::all) return has;
    if (word(head->size - kTailBytes) != head->size) refuse(place() + " is damaged: its two lengths differ");
    return has;
  }
}

PacketFile::Next PcapngFile::next(FilePacket* packet) {
  while (true) {
    BlockHead head;
    const Window::Has has = find_block(&head);
    if (has != Window::Has::all) return has == Window::Has::ended ? Next::end : Next::not_yet;
    if (head.type == kSection) {
      read_section(head);
    } else if (head.type == kInterface) {
      read_interface(head);
    } else {
      read_packet(head, packet);
      skip_ = head.size;
      return Next::packet;
    }
    skip_ = head.size;
  }
}

bool PcapngFile::read_head() {
  while (true) {
    BlockHead head;
    const Window::Has has = find_block(&head);
    if (has != Window::Has::all) return has == Window::Has::ended;
    if (head.type != kSection && head.type != kInterface) return true;
    if (head.type == kSection) {
      read_section(head);
    } else {
      read_interface(head);
    }
    skip_ = head.size;
  }
}

// Sections number their interfaces anew. What two sections say in the same words of an interface is about the same one,
// so that files which were joined (cat a.pcapng b.pcapng) have no more interfaces than each of them had.
void PcapngFile::read_section(const BlockHead& head) {
  if (half_word(kHeadBytes + 4) != kMajor) refuse(place() + " begins a section of an unknown version of pcapng");
  has_section_ = true;
  described_.clear();
  is_taken_.assign(interfaces_.size(), false);
  if (head.size < kSectionBytes + kTailBytes) refuse(place() + " is too short for a section");
  PcapngOptions options(window_.bytes() + kSectionBytes, head.size - kSectionBytes - kTailBytes, is_swapped_);
  PcapngOption option;
  while (comment_.empty() && options.next(&option)) {
    if (option.code == kComment) comment_ = text_of(option);
  }
}

void PcapngFile::read_interface(const BlockHead& head) {
  if (head.size < kInterfaceBytes + kTailBytes) refuse(place() + " is too short for an interface");
  FileInterface interface;
  interface.link_type = half_word(kHeadBytes);
  interface.snaplen = word(kHeadBytes + 4);
  Described described{0, interface.snaplen};
  PcapngOptions options(window_.bytes() + kInterfaceBytes, head.size - kInterfaceBytes - kTailBytes, is_swapped_);
  PcapngOption option;
  while (options.next(&option)) {
    if (option.code == kName) {
      interface.name = text_of(option);
    } else if (option.code == kDescription) {
      interface.description = text_of(option);
    } else if (option.code == kFilter) {
      // A first byte 0 says that a libpcap expression follows; no other kind is in use.
      if (option.size > 1 && option.bytes[0] == 0) interface.filter = text_of(option).substr(1);
    } else if (option.code == kResolution && option.size == 1) {
      described.resolution = option.bytes[0];
    } else if (option.code == kOffset && option.size == 8) {
      int64_t offset;
      memcpy(&offset, option.bytes, sizeof offset);
      described.offset_s = is_swapped_ ? static_cast<int64_t>(__builtin_bswap64(offset)) : offset;
    } else if (option.code != kResolution && option.code != kOffset) {
      keep_option(OptionsOf::interface, option, is_swapped_, &interface.options);
    }
  }
  described.interface = number_of(interface);
  described_.push_back(described);
}

uint32_t PcapngFile::number_of(const FileInterface& interface) {
  for (uint32_t i = 0; i < interfaces_.size(); i++) {
    if (is_taken_[i] || !(interfaces_[i] == interface)) continue;
    is_taken_[i] = true;
    return i;
  }
  if (is_complete_) {
    refuse(place() + " tells of interface \"" + interface.name +
           "\" behind packets: a pipe must tell of all interfaces first, so save it as a file, and read that");
  }
  if (interfaces_.size() == kMostInterfaces) {
    refuse("it has more than " + std::to_string(kMostInterfaces) + " interfaces");
  }
  interfaces_.push_back(interface);
  is_taken_.push_back(true);
  return static_cast<uint32_t>(interfaces_.size() - 1);
}

const PcapngFile::Described& PcapngFile::described(uint32_t interface) const {
  if (interface < described_.size()) return described_[interface];
  refuse(place() + " is a packet of interface " + std::to_string(interface) + ", of which nothing was told");
}

void PcapngFile::read_packet(const BlockHead& head, FilePacket* packet) const {
  packet->options.clear();
  if (head.type == kSimple) return read_simple(head, packet);
  read_timed(head, packet);
}

// The obsolete block is as the enhanced one, but for the interface, which shares its word with a count of drops. Its
// options have the same numbers.
void PcapngFile::read_timed(const BlockHead& head, FilePacket* packet) const {
  if (head.size < kEpbHeadBytes + kTailBytes) refuse(place() + " is too short for a packet");
  const Described& on = described(head.type == kEnhanced ? word(8) : half_word(8));
  packet->interface = on.interface;
  packet->time_ns = time_in_ns(uint64_t{word(12)} << 32 | word(16), on.resolution, on.offset_s);
  packet->caplen = word(20);
  packet->len = word(24);
  set_bytes(head, kEpbHeadBytes, packet);
  keep_options(head, kEpbHeadBytes + padded(packet->caplen), packet);
}

// It has no time, and is as long as its interface's snaplen allows.
void PcapngFile::read_simple(const BlockHead& head, FilePacket* packet) const {
  if (head.size < kSimpleBytes + kTailBytes) refuse(place() + " is too short for a packet");
  const Described& on = described(0);
  packet->interface = on.interface;
  packet->time_ns = 0;
  packet->len = word(8);
  packet->caplen = on.snaplen == 0 ? packet->len : std::min(packet->len, on.snaplen);
  set_bytes(head, kSimpleBytes, packet);
}

void PcapngFile::set_bytes(const BlockHead& head, size_t at, FilePacket* packet) const {
  const size_t room = head.size - at - kTailBytes;
  if (packet->caplen > room || packet->caplen > kMostPacketBytes) {
    refuse(place() + " claims " + std::to_string(packet->caplen) + " bytes of packet, and has room for " +
           std::to_string(std::min<size_t>(room, kMostPacketBytes)));
  }
  packet->bytes = window_.bytes() + at;
}

void PcapngFile::keep_options(const BlockHead& head, size_t at, FilePacket* packet) const {
  PcapngOptions options(window_.bytes() + at, head.size - kTailBytes - at, is_swapped_);
  PcapngOption option;
  while (options.next(&option) && packet->options.size() + option.size + 8 <= kMostOptionBytes) {
    keep_option(OptionsOf::packet, option, is_swapped_, &packet->options);
  }
}

}  // namespace dpcap
