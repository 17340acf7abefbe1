#include "reader/format/pcapng_options.h"

#include <algorithm>
#include <cstring>

#include "record/pcap_format.h"

namespace dpcap {
namespace {

constexpr size_t kHeadBytes = 4;

uint16_t half_word(const uint8_t* bytes, bool is_swapped) {
  uint16_t value;
  memcpy(&value, bytes, sizeof value);
  return is_swapped ? __builtin_bswap16(value) : value;
}

// Whether the value is one number, which is swapped with the file. All others are texts and bytes, which are not.
bool is_number(OptionsOf block, uint16_t code) {
  // if_speed, if_tzone, if_txspeed, if_rxspeed.
  if (block == OptionsOf::interface) return code == 8 || code == 10 || code == 16 || code == 17;
  // epb_flags, epb_dropcount, epb_packetid, epb_queue.
  if (block == OptionsOf::packet) return code == 2 || code == 4 || code == 5 || code == 6;
  return false;
}

constexpr uint16_t kDropCount = 4;  // epb_dropcount

// Returns the value of the count in these options, nullptr when there is none.
const uint8_t* find_lost(const std::vector<uint8_t>& options) {
  PcapngOptions all(options.data(), options.size(), false);
  PcapngOption option;
  while (all.next(&option)) {
    if (option.code == kDropCount && option.size == sizeof(uint64_t)) return option.bytes;
  }
  return nullptr;
}

}  // namespace

bool PcapngOptions::next(PcapngOption* option) {
  if (left_ < kHeadBytes) return false;
  option->code = half_word(at_, is_swapped_);
  option->size = half_word(at_ + 2, is_swapped_);
  option->bytes = at_ + kHeadBytes;
  const size_t size = kHeadBytes + padded(option->size);
  if (option->code == 0 || size > left_) return false;
  at_ += size;
  left_ -= size;
  return true;
}

void keep_option(OptionsOf block, const PcapngOption& option, bool is_swapped, std::vector<uint8_t>* out) {
  const size_t at = out->size();
  out->resize(at + kHeadBytes + padded(option.size));
  memcpy(&(*out)[at], &option.code, sizeof option.code);
  memcpy(&(*out)[at + 2], &option.size, sizeof option.size);
  if (option.size == 0) return;
  uint8_t* const value = &(*out)[at + kHeadBytes];
  memcpy(value, option.bytes, option.size);
  if (is_swapped && is_number(block, option.code)) std::reverse(value, value + option.size);
}

uint64_t lost_before(const std::vector<uint8_t>& options) {
  uint64_t packets = 0;
  if (const uint8_t* const value = find_lost(options)) memcpy(&packets, value, sizeof packets);
  return packets;
}

void add_lost_before(uint64_t packets, std::vector<uint8_t>* options) {
  if (const uint8_t* const value = find_lost(*options)) {
    packets += lost_before(*options);
    memcpy(&(*options)[static_cast<size_t>(value - options->data())], &packets, sizeof packets);
    return;
  }
  const PcapngOption option{kDropCount, sizeof packets, reinterpret_cast<const uint8_t*>(&packets)};
  keep_option(OptionsOf::packet, option, false, options);
}

}  // namespace dpcap
