#include "core/frame_sink.h"

#include <linux/if_packet.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
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

// How long a frame waits for an interface that sends nothing: a peer pauses it, or a shaper is slow.
constexpr int kMaxWaitMs = 100;

// The interface is gone, rather than this one frame refused (too short: EINVAL; longer than the MTU: EMSGSIZE; the
// interface's queue is full: ENOBUFS) or the interface down (EIO of a TAP, ENETDOWN of a packet socket).
bool is_gone(int err) { return err == EBADFD || err == EBADF || err == ENODEV || err == ENXIO; }

// A packet socket outlives its interface, and reading from it does not tell.
bool is_orphan(int fd) {
  sockaddr_ll at{};
  socklen_t size = sizeof at;
  const bool known = getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0;
  return known && at.sll_family == AF_PACKET && at.sll_ifindex < 0;
}

}  // namespace

FrameSink::FrameSink(int rx_fd, int tx_fd, uint32_t max_rate, size_t lanes)
    : Sink(FileFormat::frames, kBlocks, lanes, kBlockGoal), rx_fd_(rx_fd), tx_fd_(tx_fd), max_rate_(max_rate) {
  start();
}

FrameSink::~FrameSink() {
  stop();
  close_descriptors();
}

// A table of descriptors of its own spares the writer two atomic operations a packet, which the kernel needs for one
// that threads share: 4 % of a write to a TAP.
void FrameSink::open() { has_own_files_ = unshare(CLONE_FILES) == 0; }

void FrameSink::close(const std::vector<uint8_t>&) {
  if (has_own_files_) close_descriptors();
}

void FrameSink::close_descriptors() const {
  ::close(rx_fd_);
  if (tx_fd_ != rx_fd_) ::close(tx_fd_);
}

void FrameSink::write_block(const Block& block) {
  const uint8_t* at = block.bytes.get();
  int64_t written = 0;
  for (const uint16_t lane : block.lanes) {
    const FrameHead head = read_frame_head(at);
    if (write_frame(head, at + sizeof(FrameHead))) {
      written += head.size;
    } else {
      count_lost_record(lane);
    }
    at += sizeof(FrameHead) + head.size;
  }
  add_written(written);
  drop_incoming();
}

bool FrameSink::write_frame(const FrameHead& head, const uint8_t* frame) {
  if (failure() != 0 || !may_write()) return false;
  const int fd = head.direction == Direction::rx ? rx_fd_ : tx_fd_;
  while (write(fd, frame, head.size) < 0) {
    if (errno == EAGAIN && wait_writable(fd)) continue;
    if (is_gone(errno)) fail(errno);
    return false;
  }
  return true;
}

// Until there is room in a packet socket, whose frames count until they are sent. A TAP interface always has room.
bool FrameSink::wait_writable(int fd) const {
  pollfd one{fd, POLLOUT, 0};
  return !is_past_stall_deadline() && poll(&one, 1, kMaxWaitMs) != 0;
}

// A token bucket that holds a tenth of a second.
bool FrameSink::may_write() {
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
void FrameSink::drop_incoming() {
  uint8_t frame[2048];
  for (const int fd : {rx_fd_, tx_fd_}) {
    ssize_t size = 0;
    for (int i = 0; i < kIncomingBurst && (size = read(fd, frame, sizeof frame)) > 0; i++) {
    }
    if (size < 0 && is_gone(errno)) fail(errno);
    if (is_orphan(fd)) fail(ENODEV);
  }
}

}  // namespace dpcap
