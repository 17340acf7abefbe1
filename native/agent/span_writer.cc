#include "agent/span_writer.h"

#include <algorithm>
#include <cstring>

namespace dpcap {
namespace {

// The size of the record at `at`; 0 when it does not end within the span. The span is the application's memory.
size_t whole_record(FileFormat format, const RecordSpan& span, size_t at) {
  return whole_record_size(format, span.bytes + at, span.size - at);
}

}  // namespace

// Records are looked at only where a span has to be cut: by a limit, or because a block of the sink ends.
Written FileSpanWriter::put(const RecordSpan& span, uint32_t packets, uint64_t packet_bytes, const Lane&) {
  if (packets == span.records && span.size >= RecordSink::kSpanInPlace &&
      sink_.wants_in_place(span.size, span.records)) {
    sink_.write_span(span);
    return {packets, packet_bytes};
  }
  Written all;
  size_t at = 0;
  while (all.packets < packets && !sink_.is_full()) {
    const size_t first = whole_record(format_, span, at);
    if (first == 0) break;
    const Room room = sink_.reserve(first);
    RecordSpan part{room.bytes, static_cast<uint32_t>(span.size - at), packets - all.packets, span.lane, span.steps_ns};
    uint64_t bytes = packet_bytes - all.bytes;
    if (packets < span.records || part.size > room.size || part.size > room.goal || part.records > room.records) {
      part.size = part.records = 0;
      bytes = 0;
      while (all.packets + part.records < packets && part.size < room.goal && part.records < room.records) {
        const size_t size = whole_record(format_, span, at + part.size);
        if (size == 0 || part.size + size > room.size) break;
        bytes += stored_caplen(format_, span.bytes + at + part.size);
        part.size += static_cast<uint32_t>(size);
        part.records++;
      }
    }
    memcpy(room.bytes, span.bytes + at, part.size);
    sink_.commit(part);
    at += part.size;
    all.packets += part.records;
    all.bytes += bytes;
  }
  return all;
}

Written FrameSpanWriter::put(const RecordSpan& span, uint32_t packets, uint64_t, const Lane& lane) {
  constexpr uint32_t kFrames = 32;
  const FileFormat format = file_.format;
  const size_t head = format == FileFormat::pcap ? kPcapHeadBytes : kEpbHeadBytes;
  Frame frames[kFrames];
  Written all;
  size_t at = 0;
  while (all.packets < packets) {
    uint32_t count = 0;
    for (; count < std::min(packets - all.packets, kFrames); count++) {
      const size_t size = whole_record(format, span, at);
      if (size == 0) break;
      const uint8_t* const record = span.bytes + at;
      frames[count] = {record + head, stored_caplen(format, record), stored_len(format, record),
                       stored_time_ns(file_, record)};
      all.bytes += frames[count].size;
      at += size;
    }
    if (count == 0) break;
    sink_.put(frames, count, lane);
    all.packets += count;
  }
  return all;
}

}  // namespace dpcap
