// Locks of files: the one by which a living primary is told from a dead one, and dpcap's own. Any thread; none waits.
#pragma once
#include <string>

namespace dpcap {

struct LockHolder {
  bool locked;  // somebody holds a write lock: the primary is alive
  int pid;      // 0 when it is in a PID namespace that cannot be seen from here
};

// Queries the whole file with F_GETLK: the primary locks a part of its `config` file for as long as it lives. Throws
// ERR_SYSTEM.
LockHolder lock_holder(const std::string& path);

// Locks the file `path`, which is made when it does not exist, until the returned descriptor is closed or this process
// ends. Returns -1 while another process holds the lock. Throws ERR_SYSTEM.
int try_lock(const std::string& path);

}  // namespace dpcap
