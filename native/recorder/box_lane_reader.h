// The records of one lane of a black box, in the order in which they were written. Any thread, one at a time.
#pragma once
#include <cstdint>
#include <vector>

#include "recorder/block_check.h"
#include "recorder/box_facts.h"

namespace dpcap {

// Bytes of a segment in the memory of this process.
struct SegmentCopy {
  BoxSegment segment;
  const uint8_t* bytes;  // nullptr: it is read from the file when its turn comes
};

// What was not as it should be.
struct BoxDamage {
  uint32_t overwritten = 0;  // segments, while they were read
  uint32_t damaged = 0;      // segments in which something else than a record was found
};

class BoxLaneReader {
 public:
  // `segments`: of this lane, the oldest first. The file and `facts` stay.
  BoxLaneReader(int fd, const BoxFacts& facts, std::vector<SegmentCopy> segments, BoxDamage& damage);

  // Goes to the next record. Returns whether there is one.
  bool next();
  const uint8_t* bytes() const { return bytes_ + at_; }
  const CheckedBlock& block() const { return block_; }
  uint16_t lane() const { return lane_; }

 private:
  bool load();

  const int fd_;
  const BoxFacts& facts_;
  const std::vector<SegmentCopy> segments_;
  BoxDamage& damage_;
  const uint16_t lane_;
  size_t following_ = 0;         // of the segments
  std::vector<uint8_t> buffer_;  // of a segment that was read from the file
  const uint8_t* bytes_ = nullptr;
  size_t size_ = 0;
  size_t at_ = 0;
  CheckedBlock block_{0, 0, 0, 0};
};

}  // namespace dpcap
