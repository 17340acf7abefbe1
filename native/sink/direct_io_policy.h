// Which way a block takes to the disk: straight from our memory, or through the page cache.
//
// Straight is cheaper and, as long as the disk keeps up, what is wanted. But the page cache can take a burst of
// gigabytes that a slow disk cannot: when blocks pile up, and for a while after, the page cache takes them if that was
// much faster.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace dpcap {

class DirectIoPolicy {
 public:
  enum Way { straight, cached };

  // `piling_up`: many blocks are on their way.
  Way choose(bool piling_up, uint64_t now_ns) {
    if (piling_up) hurry_until_ = now_ns + kPatienceNs;
    if (now_ns >= hurry_until_) return straight;
    const Way better = ns_per_byte_[straight] <= kCopy * ns_per_byte_[cached] ? straight : cached;
    const Way other = better == straight ? cached : straight;
    return now_ns >= try_again_[other] ? other : better;
  }

  // A block of `bytes` took `way`, and `ns`.
  void took(Way way, size_t bytes, uint64_t ns, uint64_t now_ns) {
    const double now = static_cast<double>(ns) / static_cast<double>(bytes);
    double& mean = ns_per_byte_[way];
    mean = mean == 0 ? now : mean + (std::min(now, kOutlier * mean) - mean) / kWeight;
    try_again_[way] = now_ns + kPatienceNs;
  }

 private:
  // A disk that cleans up, a cache that is full of dirty pages: neither is slow for ever. But a disk that writes the
  // cache back takes its time for what comes straight, so it is not asked often.
  static constexpr uint64_t kPatienceNs = 10'000'000'000;

  // The page cache must be so much faster: it takes the CPU that the drain needs, and the disk has yet to follow.
  static constexpr double kCopy = 2;
  static constexpr double kWeight = 4;   // the newest is this part of a mean
  static constexpr double kOutlier = 4;  // means: one stall does not decide

  double ns_per_byte_[2] = {0, 0};  // means; 0: not measured, so worth a try
  uint64_t try_again_[2] = {0, 0};
  uint64_t hurry_until_ = 0;
};

}  // namespace dpcap
