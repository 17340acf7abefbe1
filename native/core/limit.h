// How many packets a capture may record, shared by its drain threads.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>

namespace dpcap {

class Limit {
 public:
  explicit Limit(uint64_t packets) : packets_(packets) {}  // 0: no limit

  // How many of `wanted` packets may be recorded. The caller does, and then looks at is_used_up().
  uint32_t grant(uint32_t wanted) {
    if (is_reached()) return 0;
    if (packets_ == 0) return wanted;
    const uint64_t before = granted_.fetch_add(wanted);
    return before >= packets_ ? 0 : static_cast<uint32_t>(std::min<uint64_t>(wanted, packets_ - before));
  }
  bool is_used_up() const { return packets_ != 0 && granted_ >= packets_; }

  // The end: what comes from now on is surplus.
  void reach() { reached_ = true; }
  bool is_reached() const { return reached_.load(std::memory_order_relaxed); }

 private:
  const uint64_t packets_;
  std::atomic<uint64_t> granted_{0};
  std::atomic<bool> reached_{false};
};

}  // namespace dpcap
