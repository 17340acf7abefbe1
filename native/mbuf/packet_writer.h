// Puts bursts of copies into a sink: as records of a file, or as frames. Runs on the drain thread.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "capture/admission.h"
#include "mbuf/burst.h"
#include "mbuf/copy_mode.h"
#include "mbuf/encoder.h"
#include "sink/sink.h"

namespace dpcap {

class PacketWriter {
 public:
  virtual ~PacketWriter() = default;
  // Puts the packets of a burst; the mbufs stay the caller's. Writes all, unless the sink becomes full.
  virtual Written put(const Burst& burst) = 0;
};

class RecordWriter : public PacketWriter {
 public:
  RecordWriter(const FileOptions& options, CopyMode mode, RecordSink& sink) : encoder_(options, mode), sink_(sink) {}
  Written put(const Burst& burst) override;

 private:
  Written put_behind_gap(const Burst& burst);
  Written put_some(const Burst& burst, uint32_t first);
  Written put_in_place(const Burst& burst, uint32_t first);

  const Encoder encoder_;
  RecordSink& sink_;
};

class FrameWriter : public PacketWriter {
 public:
  FrameWriter(CopyMode mode, FrameSink& sink) : mode_(mode), sink_(sink), is_timed_(sink.wants_times()) {}
  Written put(const Burst& burst) override;

 private:
  static constexpr uint32_t kFrames = 32;

  Frame frame_of(const Burst& burst, uint32_t index, std::vector<uint8_t>* joined) const;

  const CopyMode mode_;
  FrameSink& sink_;
  const bool is_timed_;
  std::array<std::vector<uint8_t>, kFrames> joined_;  // packets that are in pieces, put together
};

}  // namespace dpcap
