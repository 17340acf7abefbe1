// Chooses the way of a block to the disk: straight from its memory, or through the page cache. One thread at a time.
//
// The straight way is cheaper, and is wanted as long as the disk keeps up. But the page cache can take a burst of
// gigabytes that a slow disk cannot. So when blocks pile up, and for a while after, the page cache takes them if it was
// much faster.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace dpcap {

// Blocks that are on their way to the disk.
enum class Backlog { small, large };

class DirectIoPolicy {
 public:
  enum Way { straight, cached };

  Way choose(Backlog backlog, uint64_t now_ns) {
    if (backlog == Backlog::large) hurry_until_ = now_ns + kPatienceNs;
    if (now_ns >= hurry_until_) return straight;
    const Way better = ns_per_byte_[straight] <= kCopy * ns_per_byte_[cached] ? straight : cached;
    const Way other = better == straight ? cached : straight;
    return now_ns >= try_again_[other] ? other : better;
  }

  // Notes that a block of `bytes` took `ns` on `way`.
  void took(Way way, size_t bytes, uint64_t ns, uint64_t now_ns) {
    const double now = static_cast<double>(ns) / static_cast<double>(bytes);
    double& mean = ns_per_byte_[way];
    mean = mean == 0 ? now : mean + (std::min(now, kOutlier * mean) - mean) / kWeight;
    try_again_[way] = now_ns + kPatienceNs;
  }

 private:
  // The slower way is tried again: neither a disk that cleans up nor a cache full of dirty pages is slow for ever. But
  // a disk that is writing the cache back is slow to take direct writes, so it is not tried often.
  static constexpr uint64_t kPatienceNs = 10'000'000'000;

  // The page cache must be faster by this factor: it takes CPU time that the drain thread needs, and the disk still has
  // to write what it took.
  static constexpr double kCopy = 2;
  static constexpr double kWeight = 4;   // the newest value is one part in so many of a mean
  static constexpr double kOutlier = 4;  // in means, the most that a value counts: one stall does not decide

  double ns_per_byte_[2] = {0, 0};  // means; 0: not measured, so worth a try
  uint64_t try_again_[2] = {0, 0};
  uint64_t hurry_until_ = 0;
};

}  // namespace dpcap
