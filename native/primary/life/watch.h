// Notices the end of a primary at once, on a thread of its own that does nothing else.
#pragma once
#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "base/fd.h"

namespace dpcap {

struct WatchedPrimary {
  std::string runtime_dir;
  int pid;  // 0 when it cannot be seen from this PID namespace
};

class PrimaryWatch {
 public:
  // `on_end` is called at most once, on the watch's thread, after this process has let go of the primary's files.
  PrimaryWatch(WatchedPrimary primary, std::function<void()> on_end);
  // Waits until on_end has returned, if it was called.
  ~PrimaryWatch();
  PrimaryWatch(const PrimaryWatch&) = delete;
  PrimaryWatch& operator=(const PrimaryWatch&) = delete;

 private:
  void run();
  bool is_gone() const;
  // Identifies the socket that each primary makes anew; 0 when it has none.
  uint64_t socket_identity() const;

  const WatchedPrimary primary_;
  const std::function<void()> on_end_;
  const Descriptor process_;  // a pidfd; -1 where there is none
  const Descriptor stopped_;
  const uint64_t socket_;
  std::thread thread_;
};

}  // namespace dpcap
