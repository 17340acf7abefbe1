// Where records go for which a sink has no block: nowhere. They are counted as lost. Drain thread.
#pragma once
#include <cstdint>

#include "record/block.h"
#include "record/pcap_format.h"
#include "sink/sink.h"

namespace dpcap {

class Overflow {
 public:
  Overflow(FileFormat format, SinkCounters& counters) : format_(format), counters_(counters) {}

  // Whoever has records writes them here as well as anywhere: he need not know that they are lost.
  Room room() { return {memory_[0].memory, Block::kBytes, Block::kBytes}; }
  bool holds(const uint8_t* bytes) { return bytes == memory_[0].memory; }

  void lose(const RecordSpan& span) {
    uint64_t packet_bytes = 0;
    for (const uint8_t *record = span.bytes, *end = record + span.size; record < end;) {
      const size_t size = whole_record_size(format_, record, static_cast<size_t>(end - record));
      if (size == 0) break;
      packet_bytes += stored_caplen(format_, record);
      record += size;
    }
    counters_.add_lost(span.lane, span.records, packet_bytes);
    counters_.remark(SinkRemark::slow);
  }

 private:
  const FileFormat format_;
  SinkCounters& counters_;
  BlockArena memory_{1};
};

}  // namespace dpcap
