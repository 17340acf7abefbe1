#include "inject/tracee.h"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <string>

#include "base/error.h"
#include "base/now.h"

namespace dpcap {
namespace {

Error trace_error(const char* what, pid_t tid, int err) {
  const std::string subject = std::to_string(tid);
  const std::string message = std::string(what) + " thread " + subject + ": " + strerror(err);
  if (err == ESRCH) return Error("ERR_PRIMARY_GONE", message, err, subject);
  return Error(err == EPERM || err == EACCES ? "ERR_PERMISSION" : "ERR_SYSTEM", message, err, subject);
}

Error try_again(const std::string& why, pid_t tid, int err) {
  return Error("ERR_CAPTURE_BUSY", "thread " + std::to_string(tid) + " " + why, err, std::to_string(tid));
}

// A thread that somebody else traces is refused with EPERM, as one that may not be traced.
bool is_traced(pid_t tid) {
  std::ifstream status("/proc/" + std::to_string(tid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("TracerPid:", 0) == 0) return strtol(line.c_str() + strlen("TracerPid:"), nullptr, 10) != 0;
  }
  return false;
}

}  // namespace

Tracee::Tracee(pid_t tid) : tid_(tid) {
  if (ptrace(PTRACE_SEIZE, tid, nullptr, nullptr) == 0) return;
  const int err = errno;
  if (err == EPERM && is_traced(tid)) throw try_again("is traced by somebody else", tid, EBUSY);
  throw trace_error("cannot trace", tid, err);
}

Tracee::~Tracee() {
  if (is_stopped_) detach(0);
}

void Tracee::detach(int signal) {
  is_stopped_ = false;
  ptrace(PTRACE_DETACH, tid_, nullptr, reinterpret_cast<void*>(static_cast<intptr_t>(signal)));
}

void Tracee::stop(int limit_ms) {
  running_ns_ = now_ns(CLOCK_MONOTONIC);
  const uint64_t until_ns = running_ns_ + static_cast<uint64_t>(limit_ms) * 1000000ull;
  const timespec pause{0, 20000};
  if (ptrace(PTRACE_INTERRUPT, tid_, nullptr, nullptr) != 0) throw trace_error("cannot stop", tid_, errno);
  int status = 0;
  pid_t changed;
  while ((changed = waitpid(tid_, &status, __WALL | WNOHANG)) == 0) {
    if (running_ns_ > until_ns) {
      throw try_again("did not stop within " + std::to_string(limit_ms) + " ms", tid_, ETIMEDOUT);
    }
    nanosleep(&pause, nullptr);
    running_ns_ = now_ns(CLOCK_MONOTONIC);
  }
  if (changed < 0) throw trace_error("cannot wait for", tid_, errno);
  if (!WIFSTOPPED(status)) throw trace_error("cannot stop", tid_, ESRCH);
  is_stopped_ = true;
  const int signal = WSTOPSIG(status);
  if (status >> 16 != PTRACE_EVENT_STOP) {
    detach(signal);
    throw try_again("got signal " + std::to_string(signal), tid_, EAGAIN);
  }
  if (signal == SIGTRAP) return;
  throw Error("ERR_PRIMARY_STOPPED", "the process is being stopped by signal " + std::to_string(signal), EAGAIN,
              std::to_string(tid_));
}

user_regs_struct Tracee::registers() const {
  user_regs_struct registers;
  iovec part{&registers, sizeof registers};
  if (ptrace(PTRACE_GETREGSET, tid_, NT_PRSTATUS, &part) != 0) throw trace_error("cannot read", tid_, errno);
  return registers;
}

void Tracee::set_registers(const user_regs_struct& registers) const {
  user_regs_struct copy = registers;
  iovec part{&copy, sizeof copy};
  if (ptrace(PTRACE_SETREGSET, tid_, NT_PRSTATUS, &part) != 0) throw trace_error("cannot redirect", tid_, errno);
}

uint64_t Tracee::release() {
  detach(0);
  return now_ns(CLOCK_MONOTONIC) - running_ns_;
}

}  // namespace dpcap
