// Puts packets of a file into a sink, as records or as frames. Drain thread.
#pragma once
#include "capture/admission.h"
#include "reader/format/packet_file.h"
#include "record/pcap_format.h"
#include "sink/sink.h"

namespace dpcap {

class PacketOutput {
 public:
  virtual ~PacketOutput() = default;
  virtual Written put(const FilePacket& packet, const Lane& lane) = 0;
};

class RecordOutput : public PacketOutput {
 public:
  RecordOutput(const FileOptions& options, RecordSink& sink) : options_(options), sink_(sink) {}
  Written put(const FilePacket& packet, const Lane& lane) override;

 private:
  void write(const FilePacket& packet, const RecordHead& head, uint32_t size, uint8_t* out) const;

  const FileOptions options_;
  RecordSink& sink_;
};

class FrameOutput : public PacketOutput {
 public:
  explicit FrameOutput(FrameSink& sink) : sink_(sink) {}
  Written put(const FilePacket& packet, const Lane& lane) override;

 private:
  FrameSink& sink_;
};

}  // namespace dpcap
