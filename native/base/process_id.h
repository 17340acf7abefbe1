// Which process it was: a pid alone is reused.
#pragma once
#include <cstdint>

namespace dpcap {

struct ProcessId {
  int32_t pid;             // in its own PID namespace
  uint64_t start_time;     // clock ticks since boot, field 22 of /proc/<pid>/stat
  uint64_t pid_namespace;  // inode of /proc/<pid>/ns/pid: in another one the pid means nothing
};

enum class Life {
  running,
  gone,
  unknown,  // it may run where it cannot be seen from here: nothing of it may be touched
};

ProcessId current_process();
// Reads /proc, all of it for a process of another PID namespace: not to be called while others wait.
Life life_of(const ProcessId& process);
// The same of a process of which only a pid and the low half of its start time are known, not where that pid holds.
Life life_of(int32_t pid, uint32_t low_start_time);
// Known to be gone, or not.
inline bool is_running(const ProcessId& process) { return life_of(process) != Life::gone; }
// 0 for a process that is gone, and for one that only waits to be reaped (in a container nobody may ever do so).
uint64_t start_time_of(int pid);
// 0 where /proc does not say.
uint64_t own_pid_namespace();

}  // namespace dpcap
