// How many packets a capture may record, shared by its drain threads. Any thread.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <utility>

#include "base/notify.h"

namespace dpcap {

class Limit {
 public:
  // `packets`: 0 for no limit. `on_reached`: called once, by the thread that reaches it.
  explicit Limit(uint64_t packets, Notify on_reached = {}) : packets_(packets), on_reached_(std::move(on_reached)) {}

  // Returns how many of `wanted` packets may be recorded. The caller records them, and then looks at is_used_up().
  uint32_t grant(uint32_t wanted) {
    if (is_reached()) return 0;
    if (packets_ == 0) return wanted;
    uint64_t before = granted_;
    uint32_t granted;
    do {
      granted = static_cast<uint32_t>(std::min<uint64_t>(wanted, packets_ - before));
    } while (!granted_.compare_exchange_weak(before, before + granted));
    return granted;
  }
  // So many of those that were granted are lost, and others may be recorded in their place.
  void give_back(uint32_t packets) {
    if (packets_ != 0) granted_ -= packets;
  }
  bool is_used_up() const { return packets_ != 0 && granted_ >= packets_; }

  // Ends the recording: packets that come from now on are surplus.
  void reach() {
    if (!reached_.exchange(true) && on_reached_) on_reached_();
  }
  bool is_reached() const { return reached_.load(std::memory_order_relaxed); }

 private:
  const uint64_t packets_;
  const Notify on_reached_;
  std::atomic<uint64_t> granted_{0};
  std::atomic<bool> reached_{false};
};

}  // namespace dpcap
