// A file descriptor that is closed when its owner is destroyed. Any thread.
#pragma once
#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <utility>

namespace dpcap {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// Opens another description of the same file, with flags of its own. Returns -1 with errno on failure.
inline int open_again(int fd, int flags) {
  return open(("/proc/self/fd/" + std::to_string(fd)).c_str(), flags | O_CLOEXEC);
}

}  // namespace dpcap
