#include "mbuf/encoder.h"

#include <algorithm>
#include <cstring>

#include "mbuf/epb_flags.h"
#include "mbuf/mbuf_packet.h"
#include "record/block.h"
#include "record/epb_options.h"

namespace dpcap {
namespace {

constexpr size_t kVector = 16;
constexpr uint32_t kShort = 256;  // bytes; longer packets are copied by memcpy()
static_assert(Block::kSlack >= kVector);

// Copies `size` bytes in whole vectors: reads and writes up to 15 bytes more.
void copy_vectors(uint8_t* out, const uint8_t* from, uint32_t size) {
  for (uint32_t at = 0; at < size; at += kVector) memcpy(out + at, from + at, kVector);
}

// Whether vectors that begin inside the first segment's data stay inside its buffer.
bool has_slack(const rte_mbuf* mbuf, uint32_t end) { return mbuf->data_off + end + kVector <= mbuf->buf_len; }

void copy_into_block(const Packet& packet, uint8_t* out) {
  const uint32_t end = packet.offset + packet.caplen;
  const bool in_one_piece = packet.in_one_piece();
  if (in_one_piece && packet.caplen <= kShort && has_slack(packet.mbuf, end)) {
    copy_vectors(out, rte_pktmbuf_mtod_offset(packet.mbuf, const uint8_t*, packet.offset), packet.caplen);
  } else if (in_one_piece) {
    memcpy(out, rte_pktmbuf_mtod_offset(packet.mbuf, const uint8_t*, packet.offset), packet.caplen);
  } else {
    copy_packet(packet, out);
  }
}

RecordHead head_of(const Burst& burst, uint32_t index, const Packet& packet) {
  const Lane& lane = burst.lane;
  return {burst.arrival_ns[index], packet.caplen, packet.len, lane.interface, lane.id.queue, lane.id.direction};
}

// Flags of packets of which pcapng has something to say.
uint64_t told_flags(Direction direction) {
  const bool is_received = direction == Direction::rx;
  return epb_mbuf_flags(is_received) | (is_received ? RTE_MBUF_F_RX_RSS_HASH : 0);
}

struct Telling {
  size_t size;   // of the record; 0 when it does not fit
  size_t bytes;  // of packet
};

// Writes the record of such a packet. That of others is written inline, and nothing of it may have an address for that.
[[gnu::noinline]] Telling write_telling(const FileOptions& options, CopyMode mode, const Burst& burst, uint32_t index,
                                        uint8_t* out, size_t room) {
  const uint32_t snaplen = std::min(options.snaplen, burst.lane.rule.snaplen);
  const Direction direction = burst.lane.id.direction;
  const Packet packet = read_packet(burst.mbufs[index], mode, direction, snaplen);
  const bool has_hash = epb_has_hash(packet.mbuf, direction == Direction::rx);
  const size_t size = record_size(FileFormat::pcapng, packet.caplen);
  const size_t all = size + (has_hash ? EPB_OPTION_BYTES : 0);
  if (all > room) return {0, 0};
  RecordHead head = head_of(burst, index, packet);
  head.offload_flags = epb_offload_flags(packet.mbuf, direction == Direction::rx);
  uint8_t* const bytes = out + write_record_head(options, head, out);
  copy_into_block(packet, bytes);
  write_record_tail(options, head, bytes + packet.caplen);
  if (has_hash) epb_add_hash(out, packet.mbuf->hash.rss);
  return {all, packet.caplen};
}

// There is one function for each format and mode: the choice is made once a capture, not once a packet.
template <FileFormat format, CopyMode mode>
Encoder::Filled fill_room(const FileOptions& given, const Burst& burst, uint32_t first, const Room& room) {
  const FileOptions options{format, given.nanoseconds, given.snaplen};
  const Direction direction = burst.lane.id.direction;
  const uint64_t told = told_flags(direction);
  const uint32_t snaplen = std::min(options.snaplen, burst.lane.rule.snaplen);
  uint8_t* out = room.bytes;
  const uint8_t* const end = room.bytes + room.size;
  const uint8_t* const enough = room.bytes + room.goal;
  uint64_t bytes = 0;
  const uint32_t last = first + std::min(burst.count - first, room.records);
  uint32_t index = first;
  for (; index < last && out < enough; index++) {
    const Packet packet = read_packet(burst.mbufs[index], mode, direction, snaplen);
    if (record_size(format, packet.caplen) > static_cast<size_t>(end - out)) break;
    if (format == FileFormat::pcapng && unlikely((packet.mbuf->ol_flags & told) != 0)) {
      const Telling record = write_telling(given, mode, burst, index, out, static_cast<size_t>(end - out));
      if (record.size == 0) break;
      out += record.size;
      bytes += record.bytes;
      continue;
    }
    const RecordHead head = head_of(burst, index, packet);
    out += write_record_head(options, head, out);
    copy_into_block(packet, out);
    out += packet.caplen;
    out += write_record_tail(options, head, out);
    bytes += packet.caplen;
  }
  return {index - first, static_cast<size_t>(out - room.bytes), bytes};
}

}  // namespace

Encoder::Encoder(const FileOptions& options, CopyMode mode)
    : options_(options),
      mode_(mode),
      fill_(options.format == FileFormat::pcap
                ? (mode == CopyMode::plain ? fill_room<FileFormat::pcap, CopyMode::plain>
                                           : fill_room<FileFormat::pcap, CopyMode::stamped>)
                : (mode == CopyMode::plain ? fill_room<FileFormat::pcapng, CopyMode::plain>
                                           : fill_room<FileFormat::pcapng, CopyMode::stamped>)) {}

uint32_t Encoder::wrap(const Burst& burst, uint32_t index, iovec* record) const {
  rte_mbuf* mbuf = burst.mbufs[index];
  const Packet packet = read_packet(mbuf, mode_, burst.lane.id.direction, snaplen_of(burst));
  const bool is_pcap = options_.format == FileFormat::pcap;
  const size_t head_bytes = is_pcap ? kPcapHeadBytes : kEpbHeadBytes;
  const bool has_hash = !is_pcap && epb_has_hash(mbuf, burst.lane.id.direction == Direction::rx);
  const size_t size = record_size(options_.format, packet.caplen);
  const size_t tail_bytes = size + (has_hash ? EPB_OPTION_BYTES : 0) - head_bytes - packet.caplen;
  const size_t start = mbuf->data_off + packet.offset;
  const size_t end = start + packet.caplen;
  if (!packet.in_one_piece() || start < head_bytes || end + tail_bytes > mbuf->buf_len) return 0;
  auto* data = static_cast<uint8_t*>(mbuf->buf_addr) + start;
  RecordHead head = head_of(burst, index, packet);
  head.offload_flags = epb_offload_flags(mbuf, head.direction == Direction::rx);
  write_record_head(options_, head, data - head_bytes);
  write_record_tail(options_, head, data + packet.caplen);
  if (has_hash) epb_add_hash(data - head_bytes, mbuf->hash.rss);
  *record = {data - head_bytes, head_bytes + packet.caplen + tail_bytes};
  return packet.caplen;
}

size_t Encoder::tell_lost(uint8_t* record, uint64_t packets) const {
  if (options_.format == FileFormat::pcap) return 0;
  epb_add_lost(record, packets);
  return EPB_OPTION_BYTES;
}

uint32_t Encoder::recorded_bytes(const Burst& burst, uint32_t index) const {
  return std::min(burst.mbufs[index]->pkt_len, snaplen_of(burst));
}

size_t Encoder::most_size(const Burst& burst, uint32_t index) const {
  const uint32_t caplen = recorded_bytes(burst, index) + sizeof(Packet::tags);
  const size_t options = options_.format == FileFormat::pcap ? 0 : 2 * EPB_OPTION_BYTES;
  return record_size(options_.format, std::min(caplen, snaplen_of(burst))) + options;
}

}  // namespace dpcap
