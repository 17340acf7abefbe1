// The CPU affinity and the nice value of threads. Any thread.
#pragma once
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <vector>

namespace dpcap {

// Binds the calling thread, and the threads that it starts, to `cpus` for a scope. Does nothing when `cpus` is empty.
class CpuAffinityScope {
 public:
  explicit CpuAffinityScope(const std::vector<int>& cpus) {
    if (cpus.empty() || sched_getaffinity(0, sizeof before_, &before_) != 0) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int cpu : cpus) CPU_SET(cpu, &set);
    changed_ = sched_setaffinity(0, sizeof set, &set) == 0;  // fails when a CPU went offline; the kernel then decides
  }
  ~CpuAffinityScope() {
    if (changed_) sched_setaffinity(0, sizeof before_, &before_);
  }
  CpuAffinityScope(const CpuAffinityScope&) = delete;
  CpuAffinityScope& operator=(const CpuAffinityScope&) = delete;

 private:
  cpu_set_t before_;
  bool changed_ = false;
};

// The number of CPUs that the calling thread may use; 0 when the kernel does not tell.
inline int own_cpus() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}

constexpr int kDrainNice = -10;  // for threads that take packets: a stall of milliseconds loses some

// Of a thread that takes packets. It is high where the primary uses none of the thread's CPUs, so that it may go before
// other work there.
enum class Priority { normal, high };

// Sets the nice value of `thread`, by default the calling thread. Without the privilege it stays as it is.
inline void set_nice(int nice, pid_t thread = gettid()) { setpriority(PRIO_PROCESS, static_cast<id_t>(thread), nice); }
inline void set_priority(Priority priority) {
  if (priority == Priority::high) set_nice(kDrainNice);
}

}  // namespace dpcap
