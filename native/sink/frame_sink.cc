#include "sink/frame_sink.h"

#include <dirent.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <rte_cycles.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>

#include "base/now.h"

namespace dpcap {
namespace {

int64_t monotonic_ns() { return static_cast<int64_t>(now_ns(CLOCK_MONOTONIC)); }

constexpr int kIncomingBurst = 256;
constexpr uint64_t kLookMs = 10;

// How long a frame waits for an interface that sends nothing, because a peer pauses it or a shaper is slow.
constexpr int kMaxWaitMs = 100;
// How long all frames together wait, once the capture is to end.
constexpr int64_t kEndWaitNs = 2'000'000'000;

// Returns whether the interface is gone. Other errors mean that it refused this one frame (too short: EINVAL; longer
// than the MTU: EMSGSIZE; the interface's queue is full: ENOBUFS) or that it is down (EIO of a TAP, ENETDOWN of a
// packet socket).
bool is_gone(int err) { return err == EBADFD || err == EBADF || err == ENODEV || err == ENXIO; }

// A packet socket outlives its interface, and reading from it does not report that.
bool is_orphan(int fd) {
  sockaddr_ll at{};
  socklen_t size = sizeof at;
  const bool known = getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0;
  return known && at.sll_family == AF_PACKET && at.sll_ifindex < 0;
}

// Closes the files and directories in the calling thread's own descriptor table: they are EAL's. A second descriptor of
// a huge page pins the page after it was freed, and one of a lock file holds the lock. All other descriptors stay,
// because other threads are woken up through them.
void close_files() {
  std::vector<int> files;
  DIR* const all = opendir("/proc/thread-self/fd");
  if (all == nullptr) return;
  while (const dirent* entry = readdir(all)) {
    const int fd = atoi(entry->d_name);  // 0 for "." and ".."
    struct stat status;
    if (fd > STDERR_FILENO && fd != dirfd(all) && fstat(fd, &status) == 0 &&
        (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode))) {
      files.push_back(fd);
    }
  }
  closedir(all);
  for (const int fd : files) close(fd);
}

}  // namespace

FrameSink::FrameSink(int rx_fd, int tx_fd, uint32_t max_rate, CopyMode mode, bool is_timed, SinkCounters& counters)
    : Sink(counters), rx_fd_(rx_fd), tx_fd_(tx_fd), max_rate_(max_rate), mode_(mode), is_timed_(is_timed) {}

FrameSink::~FrameSink() { close_descriptors(); }

// With a descriptor table of its own the thread saves two atomic operations a packet, which the kernel needs for a
// table that threads share: 4 % of a write to a TAP.
void FrameSink::enter() {
  has_own_files_ = unshare(CLONE_FILES) == 0;
  if (has_own_files_) close_files();
}

void FrameSink::leave() {
  if (has_own_files_) close_descriptors();
}

void FrameSink::close_descriptors() const {
  ::close(rx_fd_);
  if (tx_fd_ != rx_fd_) ::close(tx_fd_);
}

uint32_t FrameSink::put(const Burst& burst) {
  const Direction direction = burst.lane.id.direction;
  const int fd = direction == Direction::rx ? rx_fd_ : tx_fd_;
  uint64_t written = 0;
  uint32_t lost = 0;
  for (uint32_t i = 0; i < burst.count; i++) {
    const Packet packet = read_packet(burst.mbufs[i], mode_, direction, UINT32_MAX);
    if (counters_.failure() == 0 && may_write() && write_frame(fd, packet)) {
      written += packet.caplen;
    } else {
      lost++;
    }
  }
  burst.lane.bytes.add(written);
  counters_.add_written(static_cast<int64_t>(written));
  if (lost != 0) counters_.add_lost(burst.lane.index, lost, 0);  // their bytes were never counted
  return burst.count;
}

bool FrameSink::write_frame(int fd, const Packet& packet) {
  const uint8_t* frame = rte_pktmbuf_mtod_offset(packet.mbuf, const uint8_t*, packet.offset);
  if (!packet.in_one_piece()) {
    frame_.resize(packet.caplen);
    copy_packet(packet, frame_.data());
    frame = frame_.data();
  }
  while (write(fd, frame, packet.caplen) < 0) {
    if (errno == EAGAIN && wait_writable(fd)) continue;
    if (is_gone(errno)) counters_.fail(errno);
    return false;
  }
  return true;
}

// Waits until a packet socket has room: frames take up room until they are sent. A TAP interface always has room.
bool FrameSink::wait_writable(int fd) const {
  pollfd one{fd, POLLOUT, 0};
  const int64_t end = give_up_at_ns_;
  return (end == 0 || monotonic_ns() < end) && poll(&one, 1, kMaxWaitMs) != 0;
}

void FrameSink::give_up_on_stalls() { give_up_at_ns_ = monotonic_ns() + kEndWaitNs; }

void FrameSink::tick(uint64_t now_tsc, uint64_t) {
  if (now_tsc - looked_at_ < rte_get_tsc_hz() / 1000 * kLookMs) return;
  looked_at_ = now_tsc;
  drop_incoming();
}

// Limits the rate with a token bucket that holds a tenth of a second.
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

// Drops what the kernel sends on the interface: nothing is ever injected into a port. Reading also shows that an
// interface was deleted when there is nothing to write.
void FrameSink::drop_incoming() {
  uint8_t frame[2048];
  for (const int fd : {rx_fd_, tx_fd_}) {
    ssize_t size = 0;
    for (int i = 0; i < kIncomingBurst && (size = read(fd, frame, sizeof frame)) > 0; i++) {
    }
    if (size < 0 && is_gone(errno)) counters_.fail(errno);
    if (is_orphan(fd)) counters_.fail(ENODEV);
  }
}

}  // namespace dpcap
