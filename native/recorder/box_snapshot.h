// A copy of a black box that is being written: faster than the application overwrites it. Any thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "recorder/box_lane_reader.h"

namespace dpcap {

class BoxSnapshot {
 public:
  // Copies the segments that hold packets from `since_ns` on, the oldest first: the application overwrites in the same
  // order, and is slower. Its facts are those of the moment of the copy. Throws ERR_NO_MEMORY, and as read_box().
  BoxSnapshot(int fd, uint64_t since_ns);
  ~BoxSnapshot();
  BoxSnapshot(const BoxSnapshot&) = delete;
  BoxSnapshot& operator=(const BoxSnapshot&) = delete;

  const BoxFacts& facts() const { return facts_; }
  const std::vector<SegmentCopy>& copies() const { return copies_; }
  const BoxDamage& damage() const { return damage_; }

 private:
  BoxFacts facts_;
  std::vector<SegmentCopy> copies_;
  BoxDamage damage_;
  uint8_t* memory_ = nullptr;
  size_t size_ = 0;
};

}  // namespace dpcap
