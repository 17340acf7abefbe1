#include "reader/input/descriptor_source.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/error.h"

namespace dpcap {
namespace {

bool is_file(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

Error cannot(const char* what, int err) {
  return Error("ERR_INPUT_FILE", std::string("it cannot be ") + what + ": " + strerror(err), err);
}

}  // namespace

DescriptorSource::DescriptorSource(int fd)
    : fd_(fd), is_file_(is_file(fd)), start_(is_file_ ? lseek(fd, 0, SEEK_CUR) : 0) {
  if (is_file_) posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);  // without it, it is only slower
}

// A FIFO that nobody has opened for writing yet has nothing to read, and has not ended either: only poll() tells the
// two apart. The descriptor may be shared with other processes, so it is not made non-blocking.
ssize_t DescriptorSource::read(uint8_t* bytes, size_t size) {
  while (true) {
    if (!is_file_) {
      pollfd poller{fd_.get(), POLLIN, 0};
      const int ready = poll(&poller, 1, 0);
      if (ready == 0 || (ready < 0 && errno == EINTR)) return kNothingYet;
    }
    const ssize_t got = ::read(fd_.get(), bytes, size);
    if (got >= 0) return got;
    if (errno == EAGAIN) return kNothingYet;
    if (errno != EINTR) throw cannot("read", errno);
  }
}

void DescriptorSource::rewind() {
  if (lseek(fd_.get(), start_, SEEK_SET) < 0) throw cannot("read from its beginning again", errno);
}

}  // namespace dpcap
