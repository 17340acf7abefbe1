#include "host/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/fd.h"

namespace dpcap {

LockHolder lock_holder(const std::string& path) {
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) throw system_error("cannot open", errno, path);
  struct flock query {};
  query.l_type = F_WRLCK;
  query.l_whence = SEEK_SET;
  if (fcntl(fd.get(), F_GETLK, &query) != 0) throw system_error("cannot query the lock on", errno, path);
  bool locked = query.l_type == F_WRLCK;
  return {locked, locked ? std::max(0, static_cast<int>(query.l_pid)) : 0};
}

int try_lock(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) throw Error("ERR_SYSTEM", "cannot open " + path + ", a lock of dpcap's", errno, path);
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  const int err = errno;
  close(fd);
  if (err == EWOULDBLOCK) return -1;
  throw Error("ERR_SYSTEM", "cannot lock " + path, err, path);
}

}  // namespace dpcap
