// Identifies a process, because a pid alone is reused. Any thread.
#pragma once
#include <cstdint>

namespace dpcap {

struct ProcessId {
  int32_t pid;             // in its own PID namespace
  uint64_t start_time;     // clock ticks since boot, field 22 of /proc/<pid>/stat
  uint64_t pid_namespace;  // inode of /proc/<pid>/ns/pid; in another namespace the pid means nothing
};

enum class Life {
  running,
  gone,
  unknown,  // it may be running where this process cannot see it, so nothing of it may be touched
};

ProcessId current_process();
// Reads /proc, and all of it for a process of another PID namespace, so do not call it while others wait.
Life life_of(const ProcessId& process);
// The same for a process of which only a pid and the low half of its start time are known, but not the PID namespace.
Life life_of(int32_t pid, uint32_t low_start_time);
// False only when the process is known to be gone.
inline bool is_running(const ProcessId& process) { return life_of(process) != Life::gone; }
// Returns 0 for a process that is gone or only waits to be reaped (in a container nobody may ever do so).
uint64_t start_time_of(int pid);
// Returns 0 when /proc does not tell.
uint64_t own_pid_namespace();

}  // namespace dpcap
