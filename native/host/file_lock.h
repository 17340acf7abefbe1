// Who holds the lock by which a living primary is told from a dead one. On the caller's thread, without a wait.
#pragma once
#include <string>

namespace dpcap {

struct LockHolder {
  bool locked;  // somebody holds a write lock: the primary is alive
  int pid;      // 0 when it is in a PID namespace that cannot be seen from here
};

// F_GETLK over the whole file. The primary locks a part of its `config` file for as long as it lives. Throws
// ERR_SYSTEM.
LockHolder lock_holder(const std::string& path);

}  // namespace dpcap
