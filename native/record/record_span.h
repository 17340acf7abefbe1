// Records of one lane, one behind the other in memory. Any thread: whoever hands a span over says how long its memory
// stays.
#pragma once
#include <cstdint>

namespace dpcap {

struct RecordSpan {
  const uint8_t* bytes;
  uint32_t size;
  uint32_t records;
  uint16_t lane;
  // How far CLOCK_REALTIME was set since the capture began. Without these steps, times never decrease within a lane.
  int64_t steps_ns;
};

}  // namespace dpcap
