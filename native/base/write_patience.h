// How long a thread waits for a socket that has no room, because a peer pauses it or a shaper is slow.
#pragma once
#include <poll.h>

#include <atomic>
#include <cstdint>
#include <ctime>

#include "base/now.h"

namespace dpcap {

class WritePatience {
 public:
  // Waits until `fd` has room. Returns false when that takes too long.
  bool wait_writable(int fd) const {
    pollfd one{fd, POLLOUT, 0};
    const uint64_t end = give_up_at_ns_;
    return (end == 0 || now_ns(CLOCK_MONOTONIC) < end) && poll(&one, 1, kMostMs) != 0;
  }
  // From now on all waits together take no longer than the end of a capture may. Any thread.
  void give_up_soon() { give_up_at_ns_ = now_ns(CLOCK_MONOTONIC) + kEndNs; }

 private:
  static constexpr int kMostMs = 100;
  static constexpr uint64_t kEndNs = 2'000'000'000;

  std::atomic<uint64_t> give_up_at_ns_{0};  // CLOCK_MONOTONIC; 0: not yet
};

}  // namespace dpcap
