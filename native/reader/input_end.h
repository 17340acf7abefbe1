// How the reading of a file ended. Any thread.
#pragma once
#include <mutex>
#include <utility>

#include "base/notify.h"
#include "capture/stats.h"

namespace dpcap {

// Told by the thread that reads, asked by any.
class InputEndBox {
 public:
  explicit InputEndBox(Notify on_end) : on_end_(std::move(on_end)) {}

  void tell(InputEnd end) {
    {
      const std::lock_guard lock(mutex_);
      end_ = std::move(end);
    }
    if (on_end_) on_end_();
  }
  InputEnd get() const {
    const std::lock_guard lock(mutex_);
    return end_;
  }

 private:
  const Notify on_end_;
  mutable std::mutex mutex_;
  InputEnd end_;
};

}  // namespace dpcap
