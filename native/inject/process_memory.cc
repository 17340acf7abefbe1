#include "inject/process_memory.h"

#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace dpcap {
namespace {

std::string path_of(pid_t pid) { return "/proc/" + std::to_string(pid) + "/mem"; }

[[noreturn]] void fail(const char* what, pid_t pid, int err) {
  const std::string path = path_of(pid);
  if (err == EACCES || err == EPERM) {
    throw Error("ERR_PERMISSION", std::string(what) + " " + path + ": " + strerror(err), err, path);
  }
  // A process that has ended, but is still known, has no memory: 0 bytes are read then.
  if (err == ENOENT || err == ESRCH || err == 0) {
    throw Error("ERR_PRIMARY_GONE", "process " + std::to_string(pid) + " has ended", ESRCH, std::to_string(pid));
  }
  throw system_error(what, err, path);
}

}  // namespace

ProcessMemory::ProcessMemory(pid_t pid) : pid_(pid), fd_(open(path_of(pid).c_str(), O_RDWR | O_CLOEXEC)) {
  if (fd_.get() < 0) fail("cannot open", pid, errno);
  if (flock(fd_.get(), LOCK_EX | LOCK_NB) == 0) return;
  throw Error("ERR_CAPTURE_BUSY", "another dpcap is loading something into process " + std::to_string(pid), errno,
              std::to_string(pid));
}

void ProcessMemory::read(uint64_t address, void* out, size_t size) const {
  const ssize_t got = pread(fd_.get(), out, size, static_cast<off_t>(address));
  if (got != static_cast<ssize_t>(size)) fail("cannot read", pid_, got < 0 ? errno : 0);
}

void ProcessMemory::write(uint64_t address, const void* bytes, size_t size) const {
  const ssize_t put = pwrite(fd_.get(), bytes, size, static_cast<off_t>(address));
  if (put != static_cast<ssize_t>(size)) fail("cannot write", pid_, put < 0 ? errno : 0);
}

std::string ProcessMemory::read_text(uint64_t address, size_t most) const {
  std::string text(most, '\0');
  const ssize_t got = address == 0 ? 0 : pread(fd_.get(), &text[0], most, static_cast<off_t>(address));
  text.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
  return text.substr(0, text.find('\0'));
}

}  // namespace dpcap
