#include "pdump/reader/gap_watch.h"

#include <algorithm>

namespace dpcap {

// The primary counts what it loses before it puts the rest of the burst into the ring, so the end of the ring is read
// after the counter: what comes behind it has come after the loss.
void GapWatch::look() {
  const uint64_t lost = lane_.lost();
  if (lost <= known_) return;
  const uint32_t at = __atomic_load_n(&lane_.ring->prod.tail, __ATOMIC_ACQUIRE);
  if (gaps_.empty() || (gaps_.back().at != at && gaps_.size() < kMostGaps)) gaps_.push_back({at, 0});
  gaps_.back().lost += lost - known_;
  known_ = lost;
}

uint64_t GapWatch::take(uint32_t number) {
  uint64_t lost = 0;
  while (!gaps_.empty() && static_cast<int32_t>(gaps_.front().at - number) <= 0) {
    lost += gaps_.front().lost;
    gaps_.pop_front();
  }
  return lost;
}

uint32_t GapWatch::count_before(uint32_t number, uint32_t count) const {
  return gaps_.empty() ? count : std::min(count, gaps_.front().at - number);
}

}  // namespace dpcap
