// Has a thread of another process call a function, once. It blocks: not for the JavaScript thread.
//
// In this order: nothing is changed before the thread has stopped at rest; then the trampoline is written, the thread
// is sent into it, and is let go at once. From then on it needs nobody: whoever is killed at any moment leaves a
// process that goes on, and at most a trampoline that nobody runs, which the next call overwrites.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string>

namespace dpcap {

struct InjectedCall {
  pid_t pid;
  pid_t tid;
  uint64_t code;    // kTrampolineRoom bytes that nobody uses, in memory that can be executed
  uint64_t report;  // sizeof(TrampolineReport) bytes that nobody uses, in memory that can be written
  uint64_t function;
  std::string text;  // its first argument, or empty: then that is `first`
  uint64_t first;
  uint64_t second;
  uint64_t explain;  // a function that returns a text when `function` returned 0; 0 for none
  int stop_ms;       // how long the thread may take until it stops
  int call_ms;       // how long the call may take
};

struct CallOutcome {
  uint64_t result;
  std::string explanation;
  uint64_t held_ns;  // for how long the thread was stopped
};

// Throws ERR_CAPTURE_BUSY when it can be tried again: the thread is not at rest, or another call is on its way;
// ERR_INJECT_FAILED when the thread does not come back in time; and what ProcessMemory and Tracee throw.
CallOutcome call_in_thread(const InjectedCall& call);

}  // namespace dpcap
