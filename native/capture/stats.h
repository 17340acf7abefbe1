// The counters of a capture, at one moment. Any thread.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/now.h"
#include "record/lane.h"
#include "record/ledger.h"
#include "sink/sink.h"

namespace dpcap {

struct LaneStats {
  LaneId id;
  LaneState state;
  Balance balance;
};

// How a source that has an end has ended: a file that is read.
struct InputEnd {
  enum class How {
    going_on,
    complete,
    cut,      // in the middle of a packet, or of what it is packed in
    damaged,  // `words` say how
    limit,    // as many packets as were wanted have been read
  };
  How how = How::going_on;
  std::string words;
};

// What a source tells of itself.
struct SourceStats {
  ClockSteps clock_steps{};
  uint32_t mbufs = 0;  // for copies: how many there are, and how many hold none
  uint32_t mbufs_free = 0;
  bool filtering_here = false;  // the primary could not load the filter of a lane
  bool wants_mbufs = false;     // more mbufs were wanted since grow() was last called
  bool can_settle = false;      // settle() has something to do
  double poll_ns = 0;           // what the capture costs a thread of the application at each poll, measured here
  uint64_t memory = 0;          // bytes of the primary's huge pages, without owner record and mempool header
  bool small_pages = false;     // the copies of an agent are in ordinary pages, at least in part
  InputEnd input_end{};
};

struct CaptureStats {
  std::vector<LaneStats> lanes;
  bool limit_reached;
  int sink_failure;  // errno
  int sink_refusal;  // errno: why packets were lost last, while the sink goes on
  std::vector<SinkRemark> sink_remarks;
  uint64_t file_bytes;
  SourceStats source;
};

}  // namespace dpcap
