#include "reader/packet_output.h"

#include <algorithm>
#include <cstring>

namespace dpcap {
namespace {

constexpr size_t kEndOfOptions = 4;
constexpr size_t kLengthBytes = 4;

// A block keeps the options that it had: what they say of direction and queue is not known otherwise.
size_t block_size(const FilePacket& packet, uint32_t caplen) {
  const size_t options = packet.options.empty() ? 0 : packet.options.size() + kEndOfOptions;
  return kEpbHeadBytes + padded(caplen) + options + kLengthBytes;
}

}  // namespace

Written RecordOutput::put(const FilePacket& packet, const Lane& lane) {
  const uint32_t caplen = std::min(packet.caplen, options_.snaplen);
  const bool is_pcap = options_.format == FileFormat::pcap;
  const size_t size = is_pcap ? record_size(options_.format, caplen) : block_size(packet, caplen);
  const RecordHead head{packet.time_ns, caplen, packet.len, lane.interface, 0, Direction::rx};
  uint8_t* const out = sink_.reserve(size).bytes;
  write(packet, head, static_cast<uint32_t>(size), out);
  sink_.commit({out, static_cast<uint32_t>(size), 1, static_cast<uint16_t>(lane.index), 0});
  return {1, caplen};
}

void RecordOutput::write(const FilePacket& packet, const RecordHead& head, uint32_t size, uint8_t* out) const {
  uint8_t* at = out + write_record_head(options_, head, out);
  memcpy(at, packet.bytes, head.caplen);
  at += head.caplen;
  if (options_.format == FileFormat::pcap) return;
  memcpy(out + 4, &size, sizeof size);
  const size_t padding = padded(head.caplen) - head.caplen;
  memset(at, 0, padding);
  at += padding;
  if (!packet.options.empty()) {
    memcpy(at, packet.options.data(), packet.options.size());
    at += packet.options.size();
    memset(at, 0, kEndOfOptions);
    at += kEndOfOptions;
  }
  memcpy(at, &size, sizeof size);
}

Written FrameOutput::put(const FilePacket& packet, const Lane& lane) {
  const Frame frame{packet.bytes, packet.caplen, packet.len, packet.time_ns};
  sink_.put(&frame, 1, lane);
  return {1, packet.caplen};
}

}  // namespace dpcap
