#include "core/file_sink.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace dpcap {
namespace {

constexpr int kPipeBytes = 1 << 20;  // the most an unprivileged process may ask for by default

mode_t type_of(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 ? status.st_mode & S_IFMT : 0;
}

// A description of our own of the same pipe, so that O_NONBLOCK does not reach the others that share standard output.
int own_description(int fd) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  const int own = open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (own < 0) return fd;
  fcntl(own, F_SETPIPE_SZ, kPipeBytes);  // a smaller pipe only costs speed
  close(fd);
  return own;
}

}  // namespace

FileSink::FileSink(int fd, FileFormat format, std::vector<uint8_t> header, size_t lanes)
    : Sink(format, kBlocks, lanes), fd_(fd), header_(std::move(header)), is_file_(type_of(fd) == S_IFREG) {
  if (type_of(fd) == S_IFIFO) fd_ = own_description(fd);
  start();
}

void FileSink::open() {
  size_t done = 0;
  if (write_all(header_.data(), header_.size(), &done) || !is_file_) return;
  if (ftruncate(fd_, 0) == 0) add_written(-static_cast<int64_t>(done));  // half a header is worse than none
}

void FileSink::write_block(const Block& block) {
  const off_t start = is_file_ ? lseek(fd_, 0, SEEK_CUR) : 0;
  size_t done = 0;
  if (write_all(block.bytes.get(), block.used, &done)) return;

  // Keep the whole records that got through and cut off the torn one: what was written stays a valid file.
  size_t whole = 0;
  while (whole < done) {
    const size_t size = stored_record_size(format(), block.bytes.get() + whole);
    if (whole + size > done) break;
    whole += size;
  }
  if (is_file_ && start >= 0 && ftruncate(fd_, start + static_cast<off_t>(whole)) == 0) {
    lseek(fd_, 0, SEEK_END);
    add_written(-static_cast<int64_t>(done - whole));
  }
  count_lost(block, whole);
}

// A reader that closed its end is noticed without a packet to write.
void FileSink::idle() {
  if (is_file_ || failure() != 0) return;
  pollfd poller = {fd_, 0, 0};
  if (poll(&poller, 1, 0) > 0 && (poller.revents & (POLLERR | POLLHUP)) != 0) fail(EPIPE);
}

void FileSink::close(const std::vector<uint8_t>& trailer) {
  size_t done = 0;
  if (failure() == 0) write_all(trailer.data(), trailer.size(), &done);
  if (::close(fd_) != 0) fail(errno);
}

// Finishes short writes. False when the sink failed; *done is how much got through.
bool FileSink::write_all(const uint8_t* bytes, size_t size, size_t* done) {
  *done = 0;
  while (*done < size && failure() == 0) {
    const ssize_t wrote = write(fd_, bytes + *done, size - *done);
    if (wrote > 0) {
      *done += static_cast<size_t>(wrote);
      add_written(wrote);
    } else if (wrote < 0 && errno == EAGAIN) {
      wait_writable();
    } else if (wrote < 0 && errno != EINTR) {
      fail(errno == ECONNRESET ? EPIPE : errno);  // a socket's way to say that the reader left with data unread
    }
  }
  return *done == size;
}

void FileSink::wait_writable() {
  pollfd poller = {fd_, POLLOUT, 0};
  poll(&poller, 1, kIdleMs);
  if (is_past_stall_deadline() && (poller.revents & POLLOUT) == 0) fail(ETIMEDOUT);
}

}  // namespace dpcap
