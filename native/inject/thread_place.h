// Where a thread of another process is, as far as the kernel tells without stopping it. Any thread.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace dpcap {

struct ThreadPlace {
  int64_t call;  // number of the system call that it is blocked in; -1 when it is blocked outside of one
  uint64_t sp;
  uint64_t pc;
};

// Whether a thread that is blocked in this call waits for something to come, and holds no lock that others wait for.
// Waiting for a lock (futex) is another matter.
bool is_rest(int64_t call);
// Nothing for a thread that runs.
std::optional<ThreadPlace> place_of(pid_t pid, pid_t tid);
bool is_thread(pid_t pid, pid_t tid);
// Bytes of stack below `sp`, as far as they are mapped; UINT64_MAX for the stack of the main thread, which grows.
uint64_t stack_room(pid_t pid, uint64_t sp);

}  // namespace dpcap
