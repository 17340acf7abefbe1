// Sees to it that a disk keeps some of its room. It asks by what is written and not by time: no other thread has to be
// quick, however fast the packets come. The thread that writes.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

#include "base/notify.h"

namespace dpcap {

class DiskRoom {
 public:
  // `min_free`: bytes that have to stay free. `free`: tells how many are. `on_low`: called once.
  DiskRoom(uint64_t min_free, std::function<uint64_t()> free, Notify on_low)
      : min_free_(min_free), free_(std::move(free)), on_low_(std::move(on_low)) {}

  // So many bytes are about to be written. They are in any case: what has been recorded is kept.
  void before(size_t bytes) {
    if (bytes < unasked_) {
      unasked_ -= bytes;
    } else if (!is_low_) {
      look(bytes);
    }
  }

 private:
  void look(size_t bytes) {
    const uint64_t free = free_();
    is_low_ = free < min_free_ + bytes;
    // Others write to the disk as well.
    unasked_ = is_low_ ? 0 : (free - min_free_ - bytes) / 2;
    if (is_low_) on_low_();
  }

  const uint64_t min_free_;
  const std::function<uint64_t()> free_;
  const Notify on_low_;
  uint64_t unasked_ = 0;  // bytes that may be written before the disk is asked again
  bool is_low_ = false;
};

}  // namespace dpcap
