#include "inject/injected_call.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <future>
#include <vector>

#include "base/error.h"
#include "base/fault_point.h"
#include "base/now.h"
#include "base/thread.h"
#include "inject/process_memory.h"
#include "inject/redirect.h"
#include "inject/thread_place.h"
#include "inject/tracee.h"
#include "inject/trampoline.h"

namespace dpcap {
namespace {

constexpr size_t kLongestExplanation = 512;
// What a call may take of a thread's stack: all registers (11 KiB at most), the loader, and what a library does when it
// is loaded. A thread that the application has given a small stack would overflow it.
constexpr uint64_t kStackWanted = 64 * 1024;
// A tracer that waits for a CPU keeps the thread stopped, and where lcores use all of them it would wait for a time
// slice.
constexpr int kTracerNice = -20;

Error busy(const std::string& what, const InjectedCall& call) {
  return Error("ERR_CAPTURE_BUSY", what, EBUSY, std::to_string(call.pid));
}

bool is_zero(const void* bytes, size_t size) {
  const auto* begin = static_cast<const uint8_t*>(bytes);
  return std::all_of(begin, begin + size, [](uint8_t byte) { return byte == 0; });
}

// Whether a thread is outside of the trampoline for certain. One that runs may be anywhere.
bool has_left(const InjectedCall& call, pid_t tid) {
  const auto place = place_of(call.pid, tid);
  if (!place) return !is_thread(call.pid, tid);
  return place->pc < call.code || place->pc >= call.code + kTrampolineRoom;
}

TrampolineReport report_of(const ProcessMemory& memory, const InjectedCall& call) {
  TrampolineReport report;
  memory.read(call.report, &report, sizeof report);
  return report;
}

// An injector that was killed may have left its trampoline, and a thread may still be in it.
void require_free(const ProcessMemory& memory, const InjectedCall& call) {
  std::vector<uint8_t> there(kTrampolineRoom);
  memory.read(call.code, there.data(), there.size());
  const TrampolineReport report = report_of(memory, call);
  TrampolineWords words;
  memcpy(&words, there.data(), sizeof words);
  if (words.magic == kTrampolineMagic && words.report == call.report) {
    if (report.state != TrampolineState::running && has_left(call, static_cast<pid_t>(words.tid))) return;
    throw busy("thread " + std::to_string(words.tid) + " is still in what an earlier injection had it do", call);
  }
  if (is_zero(there.data(), there.size()) && is_zero(&report, sizeof report)) return;
  throw Error("ERR_INJECT_REFUSED", "the place for the injected code is not empty", EEXIST, std::to_string(call.pid));
}

void write_trampoline(const ProcessMemory& memory, const InjectedCall& call, uint64_t resume) {
  TrampolineWords words{};
  words.tid = static_cast<uint64_t>(call.tid);
  words.resume = resume;
  words.report = call.report;
  words.function = call.function;
  words.first = call.text.empty() ? call.first : call.code + trampoline_text();
  words.second = call.second;
  words.explain = call.explain;
  const std::vector<uint8_t> bytes = make_trampoline(words, call.text);
  const TrampolineReport idle{};
  memory.write(call.report, &idle, sizeof idle);
  memory.write(call.code, bytes.data(), bytes.size());
}

// Returns for how long the thread was stopped.
uint64_t send(const ProcessMemory& memory, const InjectedCall& call) {
  Tracee tracee(call.tid);
  tracee.stop(call.stop_ms);
  fault_point("inject.stopped");
  user_regs_struct registers = tracee.registers();
  const auto resume = resume_of(registers, memory);
  if (!resume) throw busy("thread " + std::to_string(call.tid) + " is not at rest", call);
  require_free(memory, call);  // once more: an injector of another mount of procfs does not see our lock
  write_trampoline(memory, call, resume->pc);
  fault_point("inject.written");
  redirect(&registers, *resume, call.code + trampoline_entry());
  tracee.set_registers(registers);
  fault_point("inject.redirected");
  const uint64_t held_ns = tracee.release();
  fault_point("inject.released");
  return held_ns;
}

TrampolineReport await_end(const ProcessMemory& memory, const InjectedCall& call) {
  const uint64_t until_ns = now_ns(CLOCK_MONOTONIC) + static_cast<uint64_t>(call.call_ms) * 1000000ull;
  const timespec pause{0, 500000};
  for (;;) {
    const TrampolineReport report = report_of(memory, call);
    if (report.state == TrampolineState::done && has_left(call, call.tid)) return report;
    if (now_ns(CLOCK_MONOTONIC) > until_ns) break;
    nanosleep(&pause, nullptr);
  }
  throw Error("ERR_INJECT_FAILED",
              "thread " + std::to_string(call.tid) + " has not come back within " + std::to_string(call.call_ms) +
                  " ms; it goes on by itself, and what was written into the process stays",
              ETIMEDOUT, std::to_string(call.pid));
}

void take_out(const ProcessMemory& memory, const InjectedCall& call) {
  const std::vector<uint8_t> zeros(kTrampolineRoom);
  memory.write(call.code, zeros.data(), zeros.size());
  memory.write(call.report, zeros.data(), sizeof(TrampolineReport));
}

CallOutcome carry_out(const InjectedCall& call) {
  const ProcessMemory memory(call.pid);
  require_free(memory, call);
  const auto place = place_of(call.pid, call.tid);
  if (!place || !is_rest(place->call)) throw busy("thread " + std::to_string(call.tid) + " is not at rest", call);
  if (stack_room(call.pid, place->sp) < kStackWanted)
    throw busy("thread " + std::to_string(call.tid) + " has too little stack left", call);
  set_nice(kTracerNice);
  const uint64_t held_ns = send(memory, call);
  const TrampolineReport report = await_end(memory, call);
  fault_point("inject.returned");
  const CallOutcome outcome{report.result, memory.read_text(report.explanation, kLongestExplanation), held_ns};
  take_out(memory, call);
  return outcome;
}

}  // namespace

// A tracer is a thread, and its end sets free what it traced: so this has one of its own.
CallOutcome call_in_thread(const InjectedCall& call) {
  return std::async(std::launch::async, [&call] { return carry_out(call); }).get();
}

}  // namespace dpcap
