#include "recorder/box_lane_reader.h"

#include <utility>

namespace dpcap {

BoxLaneReader::BoxLaneReader(int fd, const BoxFacts& facts, std::vector<SegmentCopy> segments, BoxDamage& damage)
    : fd_(fd),
      facts_(facts),
      segments_(std::move(segments)),
      damage_(damage),
      lane_(segments_.empty() ? 0 : static_cast<uint16_t>(segments_.front().segment.lane)) {}

bool BoxLaneReader::load() {
  const SegmentCopy& copy = segments_[following_++];
  at_ = 0;
  block_.size = 0;
  size_ = copy.segment.used;
  bytes_ = copy.bytes;
  if (bytes_ != nullptr) return true;
  buffer_.resize(size_);
  const dpcap_box_header& header = facts_.header;
  const uint64_t offset = header.data_offset + uint64_t{copy.segment.index} * header.segment_bytes;
  size_ = read_at(fd_, buffer_.data(), size_, offset);
  bytes_ = buffer_.data();
  const bool is_whole = is_unchanged(fd_, facts_, copy.segment);
  damage_.overwritten += !is_whole;
  return is_whole;
}

// After something that is no record, nothing in a segment can be found any more.
bool BoxLaneReader::next() {
  at_ += block_.size;
  for (;;) {
    if (at_ < size_) {
      block_ = check_block(bytes_ + at_, size_ - at_, static_cast<uint32_t>(facts_.interfaces.size()));
      if (block_.size > 0) return true;
      damage_.damaged++;
    }
    at_ = size_ = 0;
    do {
      if (following_ == segments_.size()) return false;
    } while (!load());
  }
}

}  // namespace dpcap
