#include "sink/interface_sink.h"

#include <dirent.h>
#include <linux/if_packet.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>

namespace dpcap {
namespace {

constexpr int kIncomingBurst = 256;
constexpr uint64_t kLookNs = 10'000'000;

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

InterfaceSink::InterfaceSink(int rx_fd, int tx_fd, uint32_t max_rate, Order order, SinkCounters& counters)
    : FrameSink(counters), rx_fd_(rx_fd), tx_fd_(tx_fd), order_(order), rate_(max_rate) {}

InterfaceSink::~InterfaceSink() { close_descriptors(); }

// With a descriptor table of its own the thread saves two atomic operations a packet, which the kernel needs for a
// table that threads share: 4 % of a write to a TAP.
void InterfaceSink::enter() {
  has_own_files_ = unshare(CLONE_FILES) == 0;
  if (has_own_files_) close_files();
}

void InterfaceSink::leave() {
  if (has_own_files_) close_descriptors();
}

void InterfaceSink::close_descriptors() const {
  ::close(rx_fd_);
  if (tx_fd_ != rx_fd_) ::close(tx_fd_);
}

void InterfaceSink::put(const Frame* frames, uint32_t count, const Lane& lane) {
  const int fd = lane.id.direction == Direction::rx ? rx_fd_ : tx_fd_;
  uint64_t written = 0, lost = 0, lost_bytes = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (counters_.failure() == 0 && rate_.take() && write_frame(fd, frames[i])) {
      written += frames[i].size;
    } else {
      lost++;
      lost_bytes += frames[i].size;
    }
  }
  counters_.add_written(static_cast<int64_t>(written));
  if (lost != 0) counters_.add_lost(lane.index, lost, lost_bytes);
}

bool InterfaceSink::write_frame(int fd, const Frame& frame) {
  while (write(fd, frame.bytes, frame.size) < 0) {
    // Frames take up room of a packet socket until they are sent. A TAP interface always has room.
    if (errno == EAGAIN && patience_.wait_writable(fd)) continue;
    if (is_gone(errno)) counters_.fail(errno);
    return false;
  }
  return true;
}

void InterfaceSink::tick(uint64_t now_ns, uint64_t) {
  if (now_ns - looked_at_ns_ < kLookNs) return;
  looked_at_ns_ = now_ns;
  drop_incoming();
}

// Drops what the kernel sends on the interface: nothing is ever injected into a port. Reading also shows that an
// interface was deleted when there is nothing to write.
void InterfaceSink::drop_incoming() {
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
