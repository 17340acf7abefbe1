// Where records go for which a sink has no block: nowhere. They are counted as lost, and the next record of their lane
// says so. Drain thread.
#pragma once
#include <cstdint>
#include <cstring>
#include <vector>

#include "record/block.h"
#include "record/epb_options.h"
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
    if (unmarked_.size() <= span.lane) unmarked_.resize(span.lane + 1u);
    unmarked_[span.lane] += span.records;
  }

  // Has the first record of these, which lie at `bytes`, tell how many of its lane were lost before it, where the
  // format can. Returns how many bytes longer it is now: `spare` at most, which must be free behind the records.
  uint32_t mark(const RecordSpan& span, uint8_t* bytes, size_t spare) {
    if (unmarked_.size() <= span.lane || unmarked_[span.lane] == 0) return 0;
    if (format_ == FileFormat::pcap || spare < EPB_OPTION_BYTES) return 0;
    const size_t size = whole_record_size(format_, bytes, span.size);
    if (size == 0 || size < record_size(format_, stored_caplen(format_, bytes))) return 0;  // an agent's is input
    const uint64_t lost = unmarked_[span.lane];
    unmarked_[span.lane] = 0;
    if (epb_raise_lost(bytes, lost)) return 0;
    memmove(bytes + size + EPB_OPTION_BYTES, bytes + size, span.size - size);
    epb_add_lost(bytes, lost);
    return EPB_OPTION_BYTES;
  }

 private:
  const FileFormat format_;
  SinkCounters& counters_;
  BlockArena memory_{1};
  std::vector<uint64_t> unmarked_;  // of each lane: lost, and no record says so yet
};

}  // namespace dpcap
