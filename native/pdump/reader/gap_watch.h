// Finds where in a lane's ring packets are missing, because the primary found no mbuf for them: behind what was in the
// ring before they were counted, and in front of what came into it afterwards. Runs on the drain thread.
#pragma once
#include <cstdint>
#include <deque>

#include "pdump/pdump_lane.h"

namespace dpcap {

class GapWatch {
 public:
  explicit GapWatch(const PdumpLane& lane) : lane_(lane) {}

  // Looks whether packets were lost since the last look.
  void look();

  bool has_gaps() const { return !gaps_.empty(); }
  // Returns how many packets are missing in front of the packet with this number, and forgets them. Numbers are those
  // of the ring, and of any packet only that of the next one may be asked for.
  uint64_t take(uint32_t number);
  // Returns how many of the next `count` packets, from this number on, come before a gap. Called after take().
  uint32_t count_before(uint32_t number, uint32_t count) const;

 private:
  // What is lost between two looks is one gap; while there are so many, the last one grows.
  static constexpr size_t kMostGaps = 1024;
  struct Gap {
    uint32_t at;  // number of the packet behind it
    uint64_t lost;
  };

  const PdumpLane& lane_;
  std::deque<Gap> gaps_;
  uint64_t known_ = 0;  // packets lost until the last look
};

}  // namespace dpcap
