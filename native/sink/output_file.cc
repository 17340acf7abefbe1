#include "sink/output_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include "base/fd.h"
#include "base/now.h"

namespace dpcap {
namespace {

constexpr int kPipeBytes = 1 << 20;  // the most an unprivileged process may ask for by default
constexpr int kPollMs = 100;

int64_t monotonic_ms() { return static_cast<int64_t>(now_ns(CLOCK_MONOTONIC) / 1000000); }

mode_t type_of(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 ? status.st_mode & S_IFMT : 0;
}

bool is_on_tmpfs(int fd) {
  struct statfs status;
  return type_of(fd) == S_IFREG && fstatfs(fd, &status) == 0 && status.f_type == TMPFS_MAGIC;
}

// /dev/null and its relatives.
bool is_memory_device(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) && major(status.st_rdev) == MEM_MAJOR;
}

// Opens the same pipe again, with a file description of its own, so that O_NONBLOCK does not reach the others that
// share standard output.
int own_description(int fd) {
  const int own = open_again(fd, O_WRONLY | O_NONBLOCK);
  if (own < 0) return fd;
  fcntl(own, F_SETPIPE_SZ, kPipeBytes);  // a smaller pipe only costs speed
  close(fd);
  return own;
}

}  // namespace

OutputFile::OutputFile(int fd, FileFormat format, SinkCounters& counters)
    : fd_(fd),
      format_(format),
      counters_(counters),
      is_file_(type_of(fd) == S_IFREG),
      is_socket_(type_of(fd) == S_IFSOCK),
      is_in_memory_(is_on_tmpfs(fd) || is_memory_device(fd)),
      direct_(is_in_memory_ ? std::nullopt : DirectIo::of(fd)) {
  if (type_of(fd) == S_IFIFO) fd_ = own_description(fd);
}

void OutputFile::write_or_take_back(const std::vector<uint8_t>& bytes) {
  if (bytes.empty()) return;
  const off_t start = end_of_file();
  iovec piece = {const_cast<uint8_t*>(bytes.data()), bytes.size()};
  size_t done = 0;
  if (!write_all(&piece, 1, &done)) return keep_whole(start, done, 0);
  if (direct_) direct_->wrote(bytes.data(), bytes.size());
}

// Returns where the next write goes: the end, with and without O_APPEND; -1 for an output that has no end.
off_t OutputFile::end_of_file() const {
  struct stat status;
  return is_file_ && fstat(fd_, &status) == 0 ? status.st_size : -1;
}

void OutputFile::write_blocks(const Blocks& blocks, Backlog backlog) {
  const off_t start = end_of_file();
  const ssize_t direct = direct_ && counters_.failure() == 0 ? direct_->write(blocks, start, backlog) : 0;
  if (direct > 0) lseek(fd_, start + direct, SEEK_SET);
  size_t done = static_cast<size_t>(std::max<ssize_t>(direct, 0));
  counters_.add_written(static_cast<int64_t>(done));

  std::vector<iovec> pieces;
  size_t written = done;
  for (const Block* block : blocks) {
    const size_t part = std::min(written, block->used);
    pieces.push_back({block->bytes + part, block->used - part});
    written -= part;
  }
  size_t more = 0;
  const bool all = write_all(pieces.data(), pieces.size(), &more);
  const bool is_safe = direct >= 0 || is_on_disk();
  if (all && is_safe) {
    if (direct_) direct_->wrote(blocks);
    return;
  }

  // Keep the whole records that got through and cut off the torn one: what was written stays a valid file.
  done += more;
  size_t left = is_safe ? done : 0, whole = 0;
  for (const Block* block : blocks) {
    const size_t in_file = std::min(left, block->used);
    whole += whole_records(*block, in_file);
    left -= in_file;
  }
  keep_whole(start, done, whole);
}

// Asks whether the file is on the disk: the page cache takes what the disk refuses, and tells nobody when it cannot
// write it back.
bool OutputFile::is_on_disk() {
  if (fdatasync(fd_) == 0) return true;
  counters_.fail(errno);
  return false;
}

// Returns the bytes of those records that are within the first `done` bytes of the block, and counts the others as
// lost.
size_t OutputFile::whole_records(const Block& block, size_t done) {
  size_t whole = 0, end = 0;
  for (const Block::LaneRecords& share : block.shares) {
    uint64_t lost = 0, lost_bytes = 0;
    for (uint32_t i = 0; i < share.records; i++) {
      const uint8_t* record = block.bytes + end;
      end += stored_record_size(format_, record);
      if (end <= done) {
        whole = end;
      } else {
        lost++;
        lost_bytes += stored_caplen(format_, record);
      }
    }
    if (lost != 0) counters_.add_lost(share.lane, lost, lost_bytes);
  }
  return whole;
}

void OutputFile::write_records(iovec* records, uint32_t count, uint16_t lane) {
  std::array<size_t, kMostRecords> sizes;
  for (uint32_t i = 0; i < count; i++) sizes[i] = records[i].iov_len;
  size_t done = 0;
  if (write_all(records, count, &done)) return;
  size_t whole = 0;
  uint32_t kept = 0;
  while (kept < count && whole + sizes[kept] <= done) whole += sizes[kept++];
  keep_whole(end_of_file() - static_cast<off_t>(done), done, whole);
  uint64_t lost_bytes = 0;
  for (uint32_t i = kept; i < count; i++) {
    const size_t taken = i == kept ? done - whole : 0;  // write_all() moved iov_base by this much
    lost_bytes += stored_caplen(format_, static_cast<const uint8_t*>(records[i].iov_base) - taken);
  }
  counters_.add_lost(lane, count - kept, lost_bytes);
}

void OutputFile::write_span(const RecordSpan& span) {
  iovec piece{const_cast<uint8_t*>(span.bytes), span.size};
  size_t done = 0;
  if (write_all(&piece, 1, &done)) return;
  size_t at = 0, whole = 0;
  uint32_t kept = 0;
  uint64_t lost_bytes = 0;
  for (uint32_t record = 0; record < span.records; record++) {
    const size_t size = whole_record_size(format_, span.bytes + at, span.size - at);
    if (size == 0) break;
    if (at + size <= done) {
      kept++;
      whole = at + size;
    } else {
      lost_bytes += stored_caplen(format_, span.bytes + at);
    }
    at += size;
  }
  keep_whole(end_of_file() - static_cast<off_t>(done), done, whole);
  counters_.add_lost(span.lane, span.records - kept, lost_bytes);
}

// Of the `done` bytes behind `start`, keeps the first `whole`, which are whole records.
void OutputFile::keep_whole(off_t start, size_t done, size_t whole) {
  if (start < 0 || ftruncate(fd_, start + static_cast<off_t>(whole)) != 0) return;
  lseek(fd_, 0, SEEK_END);
  counters_.add_written(-static_cast<int64_t>(done - whole));
}

void OutputFile::look_at_reader() {
  if (counters_.failure() != 0) return;
  pollfd poller = {fd_, 0, 0};
  if (poll(&poller, 1, 0) > 0 && (poller.revents & (POLLERR | POLLHUP)) != 0) counters_.fail(EPIPE);
}

void OutputFile::close() {
  if (fd_ >= 0 && ::close(fd_) != 0) counters_.fail(errno);
  fd_ = -1;
}

// Finishes short writes. Returns false when the sink failed; *done is how many bytes got through.
bool OutputFile::write_all(iovec* pieces, size_t count, size_t* done) {
  *done = 0;
  while (count > 0 && counters_.failure() == 0) {
    // A socket may be blocking, and shared with others, so only this call is told not to block.
    msghdr message = {};
    message.msg_iov = pieces;
    message.msg_iovlen = count;
    const ssize_t wrote =
        is_socket_ ? sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL) : writev(fd_, pieces, static_cast<int>(count));
    if (wrote >= 0) {
      *done += static_cast<size_t>(wrote);
      counters_.add_written(wrote);
      for (size_t left = static_cast<size_t>(wrote); count > 0;) {
        const size_t part = std::min(left, pieces->iov_len);
        pieces->iov_base = static_cast<uint8_t*>(pieces->iov_base) + part;
        pieces->iov_len -= part;
        left -= part;
        if (pieces->iov_len != 0) break;
        pieces++;
        count--;
      }
    } else if (errno == EAGAIN) {
      wait_writable();
    } else if (errno != EINTR) {
      counters_.fail(errno == ECONNRESET ? EPIPE : errno);  // ECONNRESET: the reader left with data unread
    }
  }
  return count == 0;
}

void OutputFile::wait_writable() {
  pollfd poller = {fd_, POLLOUT, 0};
  poll(&poller, 1, kPollMs);
  if (is_past_stall_deadline() && (poller.revents & POLLOUT) == 0) counters_.fail(ETIMEDOUT);
}

void OutputFile::give_up_on_stalls() { stall_deadline_ms_ = monotonic_ms() + kStalledReaderMs; }

bool OutputFile::is_past_stall_deadline() const {
  const int64_t deadline = stall_deadline_ms_;
  return deadline != 0 && monotonic_ms() > deadline;
}

}  // namespace dpcap
