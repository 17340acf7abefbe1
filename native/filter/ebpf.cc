// The part of filter.h that uses librte_bpf.
#include <fcntl.h>
#include <rte_bpf.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <rte_mbuf.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "filter/filter.h"
#include "filter/mbuf_chain.h"

namespace dpcap {
namespace {

struct BpfDestroyer {
  void operator()(rte_bpf* bpf) const { rte_bpf_destroy(bpf); }
};
using Bpf = std::unique_ptr<rte_bpf, BpfDestroyer>;

// While it lives, DPDK's log goes into a string: librte_bpf has no other way of giving its reason.
class LogCapture {
 public:
  LogCapture() : before_(rte_log_get_stream()), stream_(open_memstream(&text_, &size_)) {
    if (stream_) rte_openlog_stream(stream_);
  }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;
  ~LogCapture() {
    // NULL means "the default again": handing stderr back by name would keep EAL from installing its own stream.
    if (stream_) {
      rte_openlog_stream(before_ == stderr ? nullptr : before_);
      fclose(stream_);
    }
    free(text_);
  }

  // The first line that was logged, without the name of the function it comes from.
  std::string first_line() {
    if (!stream_) return "";
    fflush(stream_);
    std::string line(text_, std::find(text_, text_ + size_, '\n'));
    const size_t colon = line.find(": ");
    line = colon == std::string::npos ? line : line.substr(colon + 2);
    return line.substr(0, line.find_last_not_of("; \n") + 1);
  }

 private:
  FILE* before_;
  char* text_ = nullptr;
  size_t size_ = 0;
  FILE* stream_;
};

Bpf load(const ebpf_insn* insns, size_t count) {
  rte_bpf_prm prm{};
  prm.ins = insns;
  prm.nb_ins = static_cast<uint32_t>(count);
  prm.prog_arg.type = RTE_BPF_ARG_PTR_MBUF;
  prm.prog_arg.size = sizeof(rte_mbuf);
  LogCapture log;
  Bpf bpf(rte_bpf_load(&prm));
  if (bpf) return bpf;
  const int err = rte_errno;
  const std::string reason = log.first_line();
  throw Error("ERR_FILTER_UNSUPPORTED",
              "DPDK's verifier refuses the program: " + (reason.empty() ? "no reason given" : reason), err);
}

// Runs in the forked process and ends it. It must not print anything, nor touch anything of the parent.
[[noreturn]] void load_and_exit(const ebpf_insn* insns, size_t count) {
  const int null = open("/dev/null", O_WRONLY);
  if (null >= 0) dup2(null, STDERR_FILENO);
  rte_bpf_prm prm{};
  prm.ins = insns;
  prm.nb_ins = static_cast<uint32_t>(count);
  prm.prog_arg.type = RTE_BPF_ARG_PTR_MBUF;
  prm.prog_arg.size = sizeof(rte_mbuf);
  _exit(rte_bpf_load(&prm) ? 0 : 1);
}

// Returns the exit status, or -1 after it has killed a process that was still running at the timeout.
int wait_or_kill(pid_t pid, int timeout_ms) {
  const timespec pause = {0, 500 * 1000};
  int status = 0;
  for (int waited_us = 0; waited_us < timeout_ms * 1000; waited_us += 500) {
    if (waitpid(pid, &status, WNOHANG) == pid) return status;
    nanosleep(&pause, nullptr);
  }
  kill(pid, SIGKILL);
  waitpid(pid, &status, 0);
  return -1;
}

}  // namespace

std::vector<uint8_t> run_extended(const uint8_t* program, size_t count, const std::vector<Sample>& frames,
                                  size_t segment_size) {
  static_assert(sizeof(ebpf_insn) == 8);
  if (count == 0 || count > UINT32_MAX) throw Error("ERR_FILTER_UNSUPPORTED", "the program is empty or far too long");
  std::vector<ebpf_insn> insns(count);  // a copy, because the bytes may lie unaligned
  memcpy(insns.data(), program, count * sizeof(ebpf_insn));
  const Bpf bpf = load(insns.data(), count);
  std::vector<uint8_t> verdicts;
  verdicts.reserve(frames.size());
  for (const Sample& frame : frames) {
    MbufChain chain(frame, segment_size);
    void* context = chain.head();
    uint64_t verdict = 0;
    rte_bpf_exec_burst(bpf.get(), &context, &verdict, 1);
    verdicts.push_back(verdict != 0 ? 1 : 0);
  }
  return verdicts;
}

void verify_extended(const uint8_t* program, size_t count, int timeout_ms) {
  if (count == 0 || count > UINT32_MAX) throw Error("ERR_FILTER_UNSUPPORTED", "the program is empty or far too long");
  std::vector<ebpf_insn> insns(count);
  memcpy(insns.data(), program, count * sizeof(ebpf_insn));
  const pid_t pid = fork();
  if (pid < 0) throw Error("ERR_SYSTEM", "cannot fork a process to try the filter in", errno);
  if (pid == 0) load_and_exit(insns.data(), count);
  const int status = wait_or_kill(pid, timeout_ms);
  if (status == -1)
    throw Error("ERR_FILTER_UNSUPPORTED",
                "DPDK's verifier needs more than " + std::to_string(timeout_ms) + " ms for the program", ETIMEDOUT);
  if (WIFSIGNALED(status)) throw Error("ERR_FILTER_UNSUPPORTED", "DPDK crashes while it loads the program");
  if (status != 0) load(insns.data(), count);  // quick, as the forked process has shown; throws with the reason
}

}  // namespace dpcap
