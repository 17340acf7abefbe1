#include "mbuf/packet_writer.h"

#include <rte_prefetch.h>

#include <algorithm>

#include "mbuf/mbuf_packet.h"

namespace dpcap {
namespace {

// The kernel copies byte by byte, and waits for each cache line that another core has. Prefetched, they all come at
// once.
void prefetch_all(const iovec& record) {
  const auto* bytes = static_cast<const uint8_t*>(record.iov_base);
  for (size_t at = 0; at < record.iov_len; at += RTE_CACHE_LINE_SIZE) rte_prefetch1(bytes + at);
}

}  // namespace

Written RecordWriter::put(const Burst& burst) {
  Written all;
  if (unlikely(burst.lost != 0)) all = put_behind_gap(burst);
  while (all.packets < burst.count && !sink_.is_full()) {
    const Written some = put_some(burst, all.packets);
    all.packets += some.packets;
    all.bytes += some.bytes;
  }
  return all;
}

// Puts the first packet, whose record says what was lost before it.
Written RecordWriter::put_behind_gap(const Burst& burst) {
  if (sink_.is_full()) return {};
  Burst first = burst;
  first.count = 1;
  const Room room = sink_.reserve(encoder_.most_size(first, 0));
  const auto [packets, size, bytes] = encoder_.fill(first, 0, room);
  if (packets == 0) return {};
  const size_t all = size + encoder_.tell_lost(room.bytes, burst.lost);
  const auto lane = static_cast<uint16_t>(burst.lane.index);
  sink_.commit({room.bytes, static_cast<uint32_t>(all), packets, lane, burst.steps_ns});
  return {packets, bytes};
}

Written RecordWriter::put_some(const Burst& burst, uint32_t first) {
  if (encoder_.recorded_bytes(burst, first) >= RecordSink::kInPlace &&
      sink_.wants_in_place(RecordSink::kMostBytesInPlace, RecordSink::kMostInPlace)) {
    const Written written = put_in_place(burst, first);
    if (written.packets != 0) return written;
  }
  const Room room = sink_.reserve(encoder_.most_size(burst, first));
  const auto [packets, size, bytes] = encoder_.fill(burst, first, room);
  // Nothing fits when the application went on with a packet that it had handed over, and that is now longer.
  if (packets != 0) {
    sink_.commit(
        {room.bytes, static_cast<uint32_t>(size), packets, static_cast<uint16_t>(burst.lane.index), burst.steps_ns});
  }
  return {packets, bytes};
}

Written RecordWriter::put_in_place(const Burst& burst, uint32_t first) {
  iovec records[RecordSink::kMostInPlace];
  Written written;
  size_t size = 0;
  const uint32_t most = std::min(burst.count - first, RecordSink::kMostInPlace);
  while (written.packets < most && size < RecordSink::kInPlaceBytes) {
    iovec& record = records[written.packets];
    const uint32_t bytes = encoder_.wrap(burst, first + written.packets, &record);
    if (bytes == 0) break;
    prefetch_all(record);
    written.packets++;
    written.bytes += bytes;
    size += record.iov_len;
  }
  if (written.packets != 0) {
    sink_.write_in_place(records, written.packets, size, static_cast<uint16_t>(burst.lane.index));
  }
  return written;
}

Written FrameWriter::put(const Burst& burst) {
  Frame frames[kFrames];
  Written all;
  while (all.packets < burst.count) {
    const uint32_t count = std::min(burst.count - all.packets, kFrames);
    for (uint32_t i = 0; i < count; i++) {
      frames[i] = frame_of(burst, all.packets + i, &joined_[i]);
      all.bytes += frames[i].size;
    }
    sink_.put(frames, count, burst.lane);
    all.packets += count;
  }
  return all;
}

Frame FrameWriter::frame_of(const Burst& burst, uint32_t index, std::vector<uint8_t>* joined) const {
  const Packet packet = read_packet(burst.mbufs[index], mode_, burst.lane.id.direction, UINT32_MAX);
  Frame frame{nullptr, packet.caplen, packet.len, is_timed_ ? burst.arrival_ns[index] : 0};
  if (packet.in_one_piece()) {
    frame.bytes = rte_pktmbuf_mtod_offset(packet.mbuf, const uint8_t*, packet.offset);
  } else {
    joined->resize(packet.caplen);
    copy_packet(packet, joined->data());
    frame.bytes = joined->data();
  }
  return frame;
}

}  // namespace dpcap
