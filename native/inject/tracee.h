// A thread of another process, stopped for a moment. All calls from the thread that made it: that one is the tracer.
#pragma once
#include <sys/types.h>
#include <sys/user.h>

#include <cstdint>

namespace dpcap {

class Tracee {
 public:
  // Seizes a thread, which does not notice yet. Throws ERR_PERMISSION, ERR_PRIMARY_GONE.
  explicit Tracee(pid_t tid);
  // Lets it go as it is, if it is stopped. A thread that did not stop is let go by the kernel when the tracing thread
  // ends: there is no other way.
  ~Tracee();
  Tracee(const Tracee&) = delete;
  Tracee& operator=(const Tracee&) = delete;

  // Stops it. Throws ERR_CAPTURE_BUSY when that takes longer than `limit_ms`, or a signal came in between, which is
  // passed on; ERR_PRIMARY_STOPPED when the process is being stopped.
  void stop(int limit_ms);
  user_regs_struct registers() const;
  void set_registers(const user_regs_struct& registers) const;
  // Lets it run. Returns for how many nanoseconds it was stopped at most: since it was last seen not to be.
  uint64_t release();

 private:
  void detach(int signal);

  pid_t tid_;
  bool is_stopped_ = false;
  uint64_t running_ns_ = 0;
};

}  // namespace dpcap
