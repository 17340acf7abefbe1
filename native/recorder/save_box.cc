#include "recorder/save_box.h"

#include <deque>
#include <memory>
#include <queue>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "recorder/box_snapshot.h"
#include "sink/file_sink.h"

namespace dpcap {
namespace {

// The next record of each lane, the oldest of them first.
class Merge {
 public:
  void add(BoxLaneReader* reader) {
    if (reader->next()) heads_.push({reader->block().time_ns, reader->lane(), reader});
  }
  // nullptr when there is none any more.
  BoxLaneReader* take() {
    if (heads_.empty()) return nullptr;
    BoxLaneReader* const first = heads_.top().reader;
    heads_.pop();
    return first;
  }
  // Whether this record of a lane that was taken comes before those of all others.
  bool is_first(const BoxLaneReader& reader) const {
    return heads_.empty() || reader.block().time_ns <= heads_.top().time_ns;
  }
  void put(BoxLaneReader* reader) { heads_.push({reader->block().time_ns, reader->lane(), reader}); }

 private:
  struct Head {
    uint64_t time_ns;
    uint16_t lane;
    BoxLaneReader* reader;
    bool operator<(const Head& other) const {  // the largest is on top
      return time_ns != other.time_ns ? time_ns > other.time_ns : lane > other.lane;
    }
  };
  std::priority_queue<Head> heads_;
};

FileOptions options_of(const BoxFacts& facts, const SaveRequest& request) {
  return {request.format, true, facts.header.snaplen};
}

std::vector<uint8_t> header_of(const BoxFacts& facts, const SaveRequest& request) {
  std::vector<InterfaceInfo> interfaces;
  const std::string of = std::string(facts.header.program) + ", pid " + std::to_string(facts.header.pid);
  for (const std::string& name : facts.interfaces) interfaces.push_back({name, "port of " + of, facts.header.filter});
  return file_header(options_of(facts, request), request.info, interfaces);
}

FileSinkOptions sink_options(const BoxFacts& facts, const SaveRequest& request) {
  FileSinkOptions options{request.format, 0, header_of(facts, request), Priority::normal};
  options.compression = request.compression;
  return options;
}

class Writer {
 public:
  Writer(const BoxFacts& facts, int output, const SaveRequest& request)
      : options_(options_of(facts, request)),
        ledger_(facts.lanes.size() + 1),
        counters_(ledger_),
        sink_(output, sink_options(facts, request), counters_) {
    sink_.enter();
  }

  bool is_well() const { return counters_.failure() == 0; }
  int failure() const { return counters_.failure(); }

  void write(const BoxLaneReader& reader) {
    const CheckedBlock& block = reader.block();
    const bool is_pcap = options_.format == FileFormat::pcap;
    const size_t size = is_pcap ? record_size(FileFormat::pcap, block.caplen) : block.size;
    uint8_t* const out = sink_.reserve(size).bytes;
    if (is_pcap) {
      const size_t head =
          write_record_head(options_, {block.time_ns, block.caplen, block.len, 0, 0, Direction::rx}, out);
      memcpy(out + head, reader.bytes() + kEpbHeadBytes, block.caplen);
    } else {
      memcpy(out, reader.bytes(), size);
    }
    sink_.commit({out, static_cast<uint32_t>(size), 1, reader.lane(), 0});
  }

  void finish() {
    sink_.flush();
    sink_.leave();
    sink_.finish({});
  }

 private:
  const FileOptions options_;
  Ledger ledger_;
  SinkCounters counters_;
  FileSink sink_;
};

void write_all(Merge& merge, Writer& writer, uint64_t since_ns, Saved& saved) {
  while (BoxLaneReader* const reader = merge.take()) {
    bool is_more = true;
    do {
      const CheckedBlock& block = reader->block();
      if (block.time_ns < since_ns) continue;
      if (!writer.is_well()) return;
      writer.write(*reader);
      if (saved.packets++ == 0) saved.first_ns = block.time_ns;
      saved.last_ns = block.time_ns;
      saved.bytes += block.caplen;
    } while ((is_more = reader->next()) && merge.is_first(*reader));
    if (is_more) merge.put(reader);
  }
}

Saved save(int box, Descriptor output, const SaveRequest& request, const BoxFacts& facts,
           const std::vector<SegmentCopy>& copies) {
  Saved saved;
  saved.overwritten_until_ns = facts.overwritten_until_ns;
  saved.cut_off = facts.cut_off;
  saved.damage.damaged = facts.damaged;
  std::vector<std::vector<SegmentCopy>> of_lanes(facts.lanes.size());
  for (const SegmentCopy& copy : copies) {
    if (copy.segment.last_ns >= request.since_ns) of_lanes[copy.segment.lane].push_back(copy);
  }
  Merge merge;
  std::deque<BoxLaneReader> readers;
  for (auto& segments : of_lanes) merge.add(&readers.emplace_back(box, facts, std::move(segments), saved.damage));
  Writer writer(facts, output.release(), request);
  write_all(merge, writer, request.since_ns, saved);
  writer.finish();
  saved.failure = writer.failure();
  return saved;
}

}  // namespace

Saved save_box(int box, int output_fd, const SaveRequest& request) {
  Descriptor output(output_fd);
  const BoxFacts facts = read_box(box);
  if (facts.is_recording) {
    const BoxSnapshot snapshot(box, request.since_ns);
    Saved saved = save(box, std::move(output), request, snapshot.facts(), snapshot.copies());
    saved.damage.overwritten += snapshot.damage().overwritten;
    return saved;
  }
  std::vector<SegmentCopy> copies;
  for (const BoxSegment& segment : facts.segments) copies.push_back({segment, nullptr});
  return save(box, std::move(output), request, facts, copies);
}

}  // namespace dpcap
