#include "core/tap_sink.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace dpcap {
namespace {

int64_t monotonic_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000ll + now.tv_nsec;
}

constexpr int kIncomingBurst = 256;

// The interface is gone, rather than this one frame refused (too short: EINVAL) or the interface down (EIO).
bool is_gone(int err) { return err == EBADFD || err == EBADF || err == ENODEV; }

}  // namespace

TapSink::TapSink(int rx_fd, int tx_fd, uint32_t max_rate, size_t lanes)
    : Sink(FileFormat::frames, kBlocks, lanes), rx_fd_(rx_fd), tx_fd_(tx_fd), max_rate_(max_rate) {
  start();
}

void TapSink::write_block(const Block& block) {
  const uint8_t* at = block.bytes.get();
  for (const uint16_t lane : block.lanes) {
    const FrameHead head = read_frame_head(at);
    write_frame(head, at + sizeof(FrameHead), lane);
    at += sizeof(FrameHead) + head.size;
  }
  drop_incoming();
}

void TapSink::write_frame(const FrameHead& head, const uint8_t* frame, uint16_t lane) {
  if (failure() != 0 || !may_write()) return count_lost_record(lane);
  const int fd = head.direction == Direction::rx ? rx_fd_ : tx_fd_;
  if (write(fd, frame, head.size) >= 0) return add_written(head.size);
  if (is_gone(errno)) fail(errno);
  count_lost_record(lane);
}

// A token bucket that holds a tenth of a second.
bool TapSink::may_write() {
  if (max_rate_ == 0) return true;
  const int64_t now = monotonic_ns();
  const double earned = static_cast<double>(now - tokens_at_ns_) * max_rate_ / 1e9;
  tokens_ = std::min(tokens_ + earned, std::max(1.0, max_rate_ / 10.0));
  tokens_at_ns_ = now;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

// What the kernel sends on the interface goes nowhere: nothing is ever injected into a port. Also how an interface that
// was deleted is noticed when there is nothing to write.
void TapSink::drop_incoming() {
  uint8_t frame[2048];
  for (const int fd : {rx_fd_, tx_fd_}) {
    ssize_t size = 0;
    for (int i = 0; i < kIncomingBurst && (size = read(fd, frame, sizeof frame)) > 0; i++) {
    }
    if (size < 0 && is_gone(errno)) fail(errno);
  }
}

void TapSink::close(const std::vector<uint8_t>&) {
  ::close(rx_fd_);
  if (tx_fd_ != rx_fd_) ::close(tx_fd_);
}

}  // namespace dpcap
