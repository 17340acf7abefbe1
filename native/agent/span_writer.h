// Puts ranges of final records into a sink: as they are into a file, as frames into an interface. Drain thread.
#pragma once
#include <cstdint>

#include "capture/admission.h"
#include "record/lane.h"
#include "record/pcap_format.h"
#include "record/record_span.h"
#include "sink/sink.h"

namespace dpcap {

class SpanWriter {
 public:
  virtual ~SpanWriter() = default;
  // Puts the first `packets` of the span's records, unless the sink becomes full. `packet_bytes`: of the whole span.
  virtual Written put(const RecordSpan& span, uint32_t packets, uint64_t packet_bytes, const Lane& lane) = 0;
};

class FileSpanWriter : public SpanWriter {
 public:
  FileSpanWriter(FileFormat format, RecordSink& sink) : format_(format), sink_(sink) {}
  Written put(const RecordSpan& span, uint32_t packets, uint64_t packet_bytes, const Lane& lane) override;

 private:
  const FileFormat format_;
  RecordSink& sink_;
};

class FrameSpanWriter : public SpanWriter {
 public:
  // `file`: how the records are written.
  FrameSpanWriter(const FileOptions& file, FrameSink& sink) : file_(file), sink_(sink) {}
  Written put(const RecordSpan& span, uint32_t packets, uint64_t packet_bytes, const Lane& lane) override;

 private:
  const FileOptions file_;
  FrameSink& sink_;
};

}  // namespace dpcap
