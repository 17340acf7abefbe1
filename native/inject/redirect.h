// Where a stopped thread has to go on after a detour, by its registers: the only part, besides the trampoline, that
// knows the machine. Any thread.
#pragma once
#include <sys/user.h>

#include <cstdint>
#include <optional>

#include "inject/process_memory.h"

namespace dpcap {

struct Resume {
  uint64_t pc;
  uint64_t result;  // what the register of results holds there
};

// How the thread goes on; nothing when it did not stop in a system call that it rests in. `memory`: its process's.
//
// A call that the kernel would begin again is begun again: the thread goes to the instruction, with the call's number,
// or with that of restart_syscall(2). Any other has its result, such as -EINTR, and the thread goes behind the
// instruction.
std::optional<Resume> resume_of(const user_regs_struct& registers, const ProcessMemory& memory);
// Has the thread go to `pc`, and be found there as `resume` says it has to be behind it.
void redirect(user_regs_struct* registers, const Resume& resume, uint64_t pc);

}  // namespace dpcap
