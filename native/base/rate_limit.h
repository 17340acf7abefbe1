// A token bucket that holds a tenth of a second. One thread.
#pragma once
#include <algorithm>
#include <cstdint>
#include <ctime>

#include "base/now.h"

namespace dpcap {

class RateLimit {
 public:
  // `per_second`: 0 for no limit.
  explicit RateLimit(uint32_t per_second) : per_second_(per_second) {}

  // Whether one more may go now.
  bool take() {
    if (per_second_ == 0) return true;
    const uint64_t now = now_ns(CLOCK_MONOTONIC);
    const double earned = static_cast<double>(now - at_ns_) * per_second_ / 1e9;
    tokens_ = std::min(tokens_ + earned, std::max(1.0, per_second_ / 10.0));
    at_ns_ = now;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  const uint32_t per_second_;
  double tokens_ = 0;
  uint64_t at_ns_ = 0;
};

}  // namespace dpcap
