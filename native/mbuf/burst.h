// Copies of one lane, in the order of their arrival, on their way from the RingReader to a PacketWriter. Runs on the
// drain thread.
#pragma once
#include <cstdint>

#include "record/lane.h"

struct rte_mbuf;

namespace dpcap {

struct Burst {
  Lane& lane;
  rte_mbuf* const* mbufs;
  const uint64_t* arrival_ns;  // CLOCK_REALTIME; undefined unless the sink wants_times()
  uint32_t count;
  // How far CLOCK_REALTIME was set since the capture began. Without these steps, times never decrease within a lane.
  int64_t steps_ns = 0;
  // The copies come unfiltered: see PdumpLane::is_filtered_here.
  bool is_unfiltered = false;
  // Packets of the lane that were lost since the one before the first of these.
  uint64_t lost = 0;
};

}  // namespace dpcap
