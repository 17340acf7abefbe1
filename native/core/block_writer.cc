#include "core/block_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <string>

namespace dpcap {
namespace {

constexpr int kPollMs = 100;
constexpr int kPipeBytes = 1 << 20;  // the most an unprivileged process may ask for by default

int64_t monotonic_ms() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

bool is_pipe(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
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

BlockWriter::BlockWriter(int fd, FileFormat format, std::vector<uint8_t> header, size_t lanes)
    : fd_(fd),
      format_(format),
      header_(std::move(header)),
      is_pipe_(is_pipe(fd)),
      blocks_(kBlocks),
      lost_(new std::atomic<uint64_t>[lanes]()) {
  if (is_pipe_) fd_ = own_description(fd_);
  for (Block& block : blocks_) {
    block.bytes.reset(new uint8_t[kBlockBytes]);
    memset(block.bytes.get(), 0, kBlockBytes);  // the first touch of memory is slow: not while packets come in
    block.lanes.reserve(kBlockBytes / 76);      // 60-byte packets in pcap
    free_.push_back(&block);
  }
  thread_ = std::thread([this] { run(); });
}

BlockWriter::~BlockWriter() { finish({}); }

Block* BlockWriter::acquire() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return !free_.empty(); });
  Block* block = free_.back();  // the warmest in the cache
  free_.pop_back();
  return block;
}

void BlockWriter::submit(Block* block) {
  std::lock_guard<std::mutex> lock(mutex_);
  full_.push_back(block);
  changed_.notify_all();
}

void BlockWriter::give_up_on_stalls() { stall_deadline_ms_ = monotonic_ms() + kStalledReaderMs; }

void BlockWriter::finish(const std::vector<uint8_t>& trailer) {
  if (!thread_.joinable()) return;
  give_up_on_stalls();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    trailer_ = trailer;
    closing_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

// Thread "dpcap-writer".
void BlockWriter::run() {
  pthread_setname_np(pthread_self(), "dpcap-writer");
  size_t done = 0;
  write_all(header_.data(), header_.size(), &done);

  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    const bool work =
        changed_.wait_for(lock, std::chrono::milliseconds(kPollMs), [&] { return !full_.empty() || closing_; });
    if (!work) {
      lock.unlock();
      reader_gone_check();
      lock.lock();
      continue;
    }
    if (full_.empty()) break;
    Block* block = full_.front();
    full_.pop_front();
    lock.unlock();
    write_block(*block);
    block->used = 0;
    block->lanes.clear();
    lock.lock();
    free_.push_back(block);
    changed_.notify_all();
  }
  lock.unlock();
  if (failure() == 0) write_all(trailer_.data(), trailer_.size(), &done);
  if (close(fd_) != 0 && failure() == 0) fail(errno);
}

void BlockWriter::write_block(const Block& block) {
  if (failure() != 0) return count_lost(block, 0);
  const off_t start = is_pipe_ ? 0 : lseek(fd_, 0, SEEK_CUR);
  size_t done = 0;
  if (write_all(block.bytes.get(), block.used, &done)) return;

  // Keep the whole records that got through and cut off the torn one: what was written stays a valid file.
  size_t whole = 0;
  while (whole < done) {
    const size_t size = stored_record_size(format_, block.bytes.get() + whole);
    if (whole + size > done) break;
    whole += size;
  }
  if (!is_pipe_ && start >= 0 && ftruncate(fd_, start + static_cast<off_t>(whole)) == 0) {
    lseek(fd_, 0, SEEK_END);
    bytes_written_ -= done - whole;
  }
  count_lost(block, whole);
}

void BlockWriter::count_lost(const Block& block, size_t from_byte) {
  size_t at = 0;
  for (const uint16_t lane : block.lanes) {
    if (at >= from_byte) lost_[lane]++;
    at += stored_record_size(format_, block.bytes.get() + at);
  }
}

// Finishes short writes. False when the sink failed; *done is how much got through.
bool BlockWriter::write_all(const uint8_t* bytes, size_t size, size_t* done) {
  *done = 0;
  while (*done < size && failure() == 0) {
    const ssize_t wrote = write(fd_, bytes + *done, size - *done);
    if (wrote > 0) {
      *done += static_cast<size_t>(wrote);
      bytes_written_ += static_cast<uint64_t>(wrote);
    } else if (wrote < 0 && errno == EAGAIN) {
      wait_writable();
    } else if (wrote < 0 && errno != EINTR) {
      fail(errno);
    }
  }
  return *done == size;
}

bool BlockWriter::wait_writable() {
  pollfd poller = {fd_, POLLOUT, 0};
  poll(&poller, 1, kPollMs);
  const int64_t deadline = stall_deadline_ms_;
  if (deadline != 0 && monotonic_ms() > deadline && (poller.revents & POLLOUT) == 0) fail(ETIMEDOUT);
  return failure() == 0;
}

// A reader that closed its end is noticed without a packet to write.
void BlockWriter::reader_gone_check() {
  if (!is_pipe_ || failure() != 0) return;
  pollfd poller = {fd_, 0, 0};
  if (poll(&poller, 1, 0) > 0 && (poller.revents & POLLERR) != 0) fail(EPIPE);
}

void BlockWriter::fail(int err) {
  int none = 0;
  failure_.compare_exchange_strong(none, err);
}

}  // namespace dpcap
