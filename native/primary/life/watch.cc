#include "primary/life/watch.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/error.h"
#include "base/thread.h"
#include "host/file_lock.h"
#include "primary/life/eal_files.h"

namespace dpcap {
namespace {

// How often the lock is checked where the kernel tells when the process ends (kSecondLookMs), and where it does not
// (Linux before 5.3; a primary in another PID namespace). EAL needs 100 ms and more until it meets the files of an
// earlier primary.
constexpr int kSecondLookMs = 1000;
constexpr int kLookMs = 20;

// The thread sleeps, then has a few milliseconds of work before the next primary starts, on a machine that may be busy.
constexpr int kWatchNice = -20;

int open_process(int pid) { return pid > 0 ? static_cast<int>(syscall(SYS_pidfd_open, pid, 0)) : -1; }

}  // namespace

PrimaryWatch::PrimaryWatch(WatchedPrimary primary, std::function<void()> on_end)
    : primary_(std::move(primary)),
      on_end_(std::move(on_end)),
      process_(open_process(primary_.pid)),
      stopped_(eventfd(0, EFD_CLOEXEC)),
      socket_(socket_identity()) {
  if (stopped_.get() < 0) throw Error("ERR_SYSTEM", "cannot make an eventfd", errno, primary_.runtime_dir);
  thread_ = std::thread([this] { run(); });
}

PrimaryWatch::~PrimaryWatch() {
  eventfd_write(stopped_.get(), 1);
  thread_.join();
}

void PrimaryWatch::run() {
  pthread_setname_np(pthread_self(), "dpcap-watch");
  set_nice(kWatchNice);
  pollfd events[] = {{stopped_.get(), POLLIN, 0}, {process_.get(), POLLIN, 0}};  // poll ignores negative descriptors
  const int look_ms = process_.get() >= 0 ? kSecondLookMs : kLookMs;
  // The lock is checked first: the pid may already have been another process's when the pidfd was made.
  while (!is_gone()) {
    poll(events, 2, look_ms);
    if (events[0].revents != 0) return;
    if (events[1].revents != 0) break;
  }
  let_go_of_eal_files(primary_.runtime_dir);
  on_end_();
}

bool PrimaryWatch::is_gone() const {
  try {
    const LockHolder holder = lock_holder(primary_.runtime_dir + "/config");
    if (!holder.locked) return true;
    return primary_.pid > 0 ? holder.pid != primary_.pid : socket_identity() != socket_;
  } catch (const Error& error) {
    // A primary that ends may remove its files. But somebody else may have removed them, so where the kernel tells of
    // the primary's end, nothing else counts.
    return error.err() == ENOENT && process_.get() < 0;
  }
}

uint64_t PrimaryWatch::socket_identity() const {
  struct statx status;
  const std::string path = primary_.runtime_dir + "/mp_socket";
  if (statx(AT_FDCWD, path.c_str(), 0, STATX_INO | STATX_BTIME, &status) != 0) return 0;
  // File systems reuse the number of a removed file, so the birth time counts as well.
  return status.stx_ino ^ (static_cast<uint64_t>(status.stx_btime.tv_sec) << 32) ^
         (static_cast<uint64_t>(status.stx_btime.tv_nsec) << 8);
}

}  // namespace dpcap
