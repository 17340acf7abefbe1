#include "inject/redirect.h"

#include <sys/syscall.h>

#include <cstring>

#include "inject/thread_place.h"

namespace dpcap {

#ifdef __x86_64__
namespace {

constexpr uint8_t kSyscall[] = {0x0f, 0x05};
constexpr uint64_t kUserCode = 0x33;  // __USER_CS: of 64 bits

// The kernel's own results of a call that was interrupted (include/linux/errno.h), which programs never see.
enum : int64_t { kRestartSys = -512, kRestartNoIntr = -513, kRestartNoHand = -514, kRestartBlock = -516 };

}  // namespace

std::optional<Resume> resume_of(const user_regs_struct& registers, const ProcessMemory& memory) {
  const auto call = static_cast<int64_t>(registers.orig_rax);
  if (registers.cs != kUserCode || !is_rest(call)) return {};
  uint8_t instruction[sizeof kSyscall];
  memory.read(registers.rip - sizeof instruction, instruction, sizeof instruction);
  if (memcmp(instruction, kSyscall, sizeof instruction) != 0) return {};
  const uint64_t again = registers.rip - sizeof instruction;
  switch (static_cast<int64_t>(registers.rax)) {
    case kRestartSys:
    case kRestartNoIntr:
    case kRestartNoHand:
      return Resume{again, registers.orig_rax};
    case kRestartBlock:
      return Resume{again, SYS_restart_syscall};
    default:
      return Resume{registers.rip, registers.rax};
  }
}

void redirect(user_regs_struct* registers, const Resume& resume, uint64_t pc) {
  registers->rax = resume.result;
  registers->orig_rax = ~0ull;  // no call any more: the kernel restarts nothing by itself
  registers->rip = pc;
}

#else

std::optional<Resume> resume_of(const user_regs_struct&, const ProcessMemory&) { return {}; }
void redirect(user_regs_struct*, const Resume&, uint64_t) {}

#endif

}  // namespace dpcap
