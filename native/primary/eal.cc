#include "primary/eal.h"

#include <fcntl.h>
#include <rte_config.h>
#include <rte_eal.h>
#include <rte_eal_memconfig.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_service_component.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/fault_point.h"
#include "base/fd.h"
#include "base/thread.h"
#include "primary/hotplug.h"
#include "primary/plugins.h"
#include "primary/versions.h"

namespace dpcap {
namespace {

// Keeps EAL's log in memory, because standard error belongs to dpcap's own messages.
class LogBuffer {
 public:
  static LogBuffer& instance() {
    static LogBuffer* buffer = new LogBuffer;  // never destroyed: DPDK's threads may log until the process ends
    return *buffer;
  }

  void redirect() {
    cookie_io_functions_t io = {};
    io.write = [](void*, const char* text, size_t size) -> ssize_t {
      instance().append(text, size);
      return static_cast<ssize_t>(size);
    };
    FILE* stream = fopencookie(nullptr, "w", io);
    if (stream == nullptr) return;
    setvbuf(stream, nullptr, _IOLBF, 4096);
    rte_openlog_stream(stream);
  }

  std::string take() {
    std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(text_, std::string());
  }

  void append(const char* text, size_t size) {
    std::lock_guard<std::mutex> lock(mutex_);
    text_.append(text, size);
    if (text_.size() > kMaxBytes) text_.erase(0, text_.size() - kMaxBytes);
  }

 private:
  static constexpr size_t kMaxBytes = 64 * 1024;

  std::mutex mutex_;
  std::string text_;
};

constexpr int kAnswerNice = -20;

// Keeps what librte_eal prints on standard error while it starts (rte_dump_tailq when it fails), and adds it to the
// log.
class QuietStderr {
 public:
  QuietStderr() : own_(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)), file_(memfd_create("stderr", MFD_CLOEXEC)) {
    if (own_.get() >= 0 && file_.get() >= 0) dup2(file_.get(), STDERR_FILENO);
  }
  ~QuietStderr() {
    fflush(stderr);
    if (own_.get() >= 0) dup2(own_.get(), STDERR_FILENO);
    char text[4096];
    off_t at = 0;
    for (ssize_t size; (size = pread(file_.get(), text, sizeof text, at)) > 0; at += size) {
      LogBuffer::instance().append(text, size);
    }
  }
  QuietStderr(const QuietStderr&) = delete;

 private:
  const Descriptor own_;
  const Descriptor file_;
};

// Returns the argument that puts the highest lcore id on all CPUs that this process may use. Mempool caches in shared
// memory are indexed by lcore id, so the id must not be one that a thread of the primary polls with; no thread of dpcap
// allocates under it anyway (see attach).
std::string lcores_argument() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  sched_getaffinity(0, sizeof cpus, &cpus);
  std::string list;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (CPU_ISSET(cpu, &cpus)) list += (list.empty() ? "" : ",") + std::to_string(cpu);
  }
  return "--lcores=" + std::to_string(RTE_MAX_LCORE - 1) + "@(" + list + ")";
}

// Gives EAL's thread that answers the primary precedence over other work: the primary waits for it whenever the
// primary's memory grows or shrinks. (It is no real-time thread, because it takes spin locks, whose holder may be
// waiting for the same CPU.) It is named rte_mp_handle up to 23.07 and dpdk-mp-msg from 23.11 on.
void answer_promptly() {
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "comm");
    std::string name;
    std::getline(file, name);
    if (name == "rte_mp_handle" || name == "dpdk-mp-msg") set_nice(kAnswerNice, atoi(task.path().filename().c_str()));
  }
}

int init_eal(const std::string& file_prefix) {
  std::vector<std::string> args = {"dpcap", "--proc-type=secondary", "--file-prefix=" + file_prefix, lcores_argument(),
                                   "--no-telemetry"};
  std::vector<char*> argv;
  for (std::string& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);
  return rte_eal_init(static_cast<int>(args.size()), argv.data());
}

}  // namespace

void attach(const AttachOptions& options) {
  fault_point("attach.begin");
  LogBuffer::instance().redirect();
  refuse_other_rings(ring_bytes_of_libraries());
  if (!(options.is_lean ? hide_plugins() : forget_buses())) {
    throw Error("ERR_PRIMARY_NOT_CAPTURABLE", "EAL cannot be kept from the primary's devices", 0, options.file_prefix);
  }

  // EAL pins the thread that initialises it and gives it an lcore id. A thread that ends right afterwards takes both
  // with it, so no thread of dpcap has an lcore id, and each keeps the affinity that it was started with.
  int result = -1;
  int err = 0;
  std::thread init([&] {
    const QuietStderr quiet;
    result = init_eal(options.file_prefix);
    err = rte_errno;
    // The tables of EAL's services (149 kB) lie in the primary's heap, where a killed process leaves them for good.
    if (result >= 0) rte_service_finalize();
  });
  init.join();
  if (result < 0) {
    const std::string log = take_eal_log();
    refuse_fewer_lcores(log);
    throw Error("ERR_EAL_INIT", "EAL: " + log, err, options.file_prefix);
  }
  answer_hotplug_requests();
  answer_promptly();
  fault_point("attach.end");
}

// A process that gives a page back asks all secondaries, and waits 5 s for a secondary that closed its socket with the
// request unread. The lock keeps such requests from being sent while this process's socket is removed; requests that
// were sent before are answered.
void detach() {
  constexpr timespec kTimeToAnswer = {0, 20'000'000};
  const std::string prefix = "mp_socket_" + std::to_string(getpid()) + "_";
  rte_mcfg_mem_read_lock();
  for (const auto& entry : std::filesystem::directory_iterator(rte_eal_get_runtime_dir())) {
    const std::string name = entry.path().filename();
    if (name.compare(0, prefix.size(), prefix) == 0) unlink(entry.path().c_str());
  }
  rte_mcfg_mem_read_unlock();
  nanosleep(&kTimeToAnswer, nullptr);
  rte_eal_cleanup();
}

std::string take_eal_log() { return LogBuffer::instance().take(); }

}  // namespace dpcap
