// A call in a thread of another process: it comes back with every register as it was, to where it was.
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

#include "base/error.h"
#include "inject/injected_call.h"
#include "inject/process_memory.h"
#include "inject/thread_place.h"
#include "inject/trampoline.h"
#include "tap.h"

#ifdef __x86_64__
namespace {

using namespace dpcap;

constexpr size_t kPage = 4096;
constexpr uint64_t kPattern = 0x1122334455667788;
constexpr int kNapMs = 300;

// A system call with its arguments and, behind it, what the registers hold that it must not change.
struct Probe {
  uint64_t call[5];  // number, rdi, rsi, rdx, r10
  uint64_t result;
  uint64_t general[6];      // rbx, rbp, r12 to r15
  uint64_t vectors[16][2];  // xmm0 to xmm15
  uint64_t red_zone[2];     // the first and the last word of it
};

// Fills registers and the red zone, makes the call, and stores what they hold then.
__attribute__((noinline)) void rest_in(Probe* probe) {
  asm volatile(
      "leaq -256(%%rsp), %%rsp\n"
      "pushq %%rbp\n"
      "pushq %0\n"
      "movq %0, %%r11\n"
      "movq %1, %%rbx\n movq %1, %%rbp\n movq %1, %%r12\n movq %1, %%r13\n movq %1, %%r14\n movq %1, %%r15\n"
      ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n movq %%rbx, %%xmm\\n\n .endr\n"
      "movq %%rbx, -8(%%rsp)\n"
      "movq %%rbx, -128(%%rsp)\n"
      "movq 8(%%r11), %%rdi\n movq 16(%%r11), %%rsi\n movq 24(%%r11), %%rdx\n movq 32(%%r11), %%r10\n"
      "xorl %%r8d, %%r8d\n xorl %%r9d, %%r9d\n"
      "movq (%%r11), %%rax\n"
      "syscall\n"
      "movq (%%rsp), %%r11\n"
      "movq %%rax, 40(%%r11)\n"
      "movq %%rbx, 48(%%r11)\n movq %%rbp, 56(%%r11)\n movq %%r12, 64(%%r11)\n"
      "movq %%r13, 72(%%r11)\n movq %%r14, 80(%%r11)\n movq %%r15, 88(%%r11)\n"
      ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n movdqu %%xmm\\n, 96+16*\\n(%%r11)\n .endr\n"
      "movq -8(%%rsp), %%rax\n movq %%rax, 352(%%r11)\n"
      "movq -128(%%rsp), %%rax\n movq %%rax, 360(%%r11)\n"
      "popq %%rax\n"
      "popq %%rbp\n"
      "leaq 256(%%rsp), %%rsp\n"
      :
      : "a"(probe), "c"(kPattern)
      : "memory", "cc", "rbx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0",
        "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
        "xmm14", "xmm15");
}

bool is_as_it_was(const Probe& probe) {
  for (const uint64_t word : probe.general) {
    if (word != kPattern) return false;
  }
  for (const auto& vector : probe.vectors) {
    if (vector[0] != kPattern || vector[1] != 0) return false;
  }
  return probe.red_zone[0] == kPattern && probe.red_zone[1] == kPattern;
}

// What is called: it uses everything that a function may use.
extern "C" uint64_t use_all(const char* text, uint64_t second) {
  asm volatile(
      ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n pcmpeqd %%xmm\\n, %%xmm\\n\n .endr\n std\n "
      "cld\n" ::
          : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
            "xmm13", "xmm14", "xmm15");
  return second == 0 ? 0 : strlen(text) + second;
}
extern "C" const char* tell_why() { return "because of this"; }

// A child that makes one system call and, once it is asked, exits with 0 when that had the expected result and all is
// as it was.
class Child {
 public:
  Child(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, int64_t expected) {
    code_ = mmap(nullptr, kPage, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    report_ = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_ALL(pipe(until_asked_) == 0);
    pid_ = fork();
    if (pid_ != 0) return;
    close(until_asked_[1]);
    Probe probe{{number, a, b, c, d}, 0, {}, {}, {}};
    rest_in(&probe);
    char none;
    CHECK_ALL(read(until_asked_[0], &none, 1) == 0);  // who called may still look at this process
    _exit(is_as_it_was(probe) && static_cast<int64_t>(probe.result) == expected ? 0 : 1);
  }
  ~Child() {
    if (pid_ > 0) end();
    munmap(code_, kPage);
    munmap(report_, kPage);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void rests_in(int64_t number) const {
    for (;;) {  // main.cc ends a test that takes too long
      const auto place = place_of(pid_, pid_);
      if (place && place->call == number) return;
      usleep(100);
    }
  }

  InjectedCall call(uint64_t second) const {
    InjectedCall call{};
    call.pid = call.tid = pid_;
    call.code = reinterpret_cast<uint64_t>(code_);
    call.report = reinterpret_cast<uint64_t>(report_);
    call.function = reinterpret_cast<uint64_t>(&use_all);
    call.text = "/some/path";
    call.second = second;
    call.explain = reinterpret_cast<uint64_t>(&tell_why);
    call.stop_ms = call.call_ms = 10000;
    return call;
  }

  int exit_code() {
    int status = 0;
    close(until_asked_[0]);
    close(until_asked_[1]);
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  void end() {
    kill(pid_, SIGKILL);
    exit_code();
  }

  void* code_;
  void* report_;
  int until_asked_[2];
  pid_t pid_;
};

std::string refusal(const InjectedCall& call) {
  try {
    call_in_thread(call);
  } catch (const Error& error) {
    return error.code();
  }
  return "none";
}

void comes_back_with_eintr() {
  const int epoll = epoll_create1(0);
  epoll_event event{};
  Child child(SYS_epoll_wait, static_cast<uint64_t>(epoll), reinterpret_cast<uint64_t>(&event), 1, ~0ull, -EINTR);
  child.rests_in(SYS_epoll_wait);
  CHECK(call_in_thread(child.call(5)).result == strlen("/some/path") + 5);
  CHECK(child.exit_code() == 0);
  close(epoll);
}

void begins_again() {
  int pair[2];
  socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
  char buffer[8];
  Child child(SYS_recvfrom, static_cast<uint64_t>(pair[0]), reinterpret_cast<uint64_t>(buffer), sizeof buffer, 0, 3);
  for (int round = 0; round < 3; round++) {
    child.rests_in(SYS_recvfrom);
    const CallOutcome outcome = call_in_thread(child.call(0));
    CHECK(outcome.result == 0 && outcome.explanation == "because of this");
  }
  CHECK(send(pair[1], "abc", 3, 0) == 3);
  CHECK(child.exit_code() == 0);
  close(pair[0]);
  close(pair[1]);
}

void goes_on_sleeping() {
  const timespec nap{0, kNapMs * 1000000L};
  Child child(SYS_nanosleep, reinterpret_cast<uint64_t>(&nap), 0, 0, 0, 0);
  child.rests_in(SYS_nanosleep);
  CHECK(call_in_thread(child.call(1)).result == strlen("/some/path") + 1);
  CHECK(child.exit_code() == 0);
}

void is_refused() {
  Child child(SYS_pause, 0, 0, 0, 0, 0);
  child.rests_in(SYS_pause);
  CHECK(refusal(child.call(1)) == "ERR_CAPTURE_BUSY");  // it does not rest in a call that is known
  InjectedCall elsewhere = child.call(1);
  elsewhere.code = reinterpret_cast<uint64_t>(&use_all);
  CHECK(refusal(elsewhere) == "ERR_INJECT_REFUSED");  // something is there
  InjectedCall nobody = child.call(1);
  nobody.pid = nobody.tid = 0x3fffff;
  CHECK(refusal(nobody) == "ERR_PRIMARY_GONE");
}

// As an injector leaves it that was killed while the thread was on its way.
void waits_for_an_earlier_one() {
  const int epoll = epoll_create1(0);
  epoll_event event{};
  Child child(SYS_epoll_wait, static_cast<uint64_t>(epoll), reinterpret_cast<uint64_t>(&event), 1, ~0ull, -EINTR);
  child.rests_in(SYS_epoll_wait);
  const InjectedCall call = child.call(5);
  TrampolineWords words{};
  words.tid = static_cast<uint64_t>(call.tid);
  words.report = call.report;
  const std::vector<uint8_t> left = make_trampoline(words, "/an/older/path");
  const TrampolineReport running{TrampolineState::running, 0, 0};
  {
    const ProcessMemory memory(call.pid);
    memory.write(call.code, left.data(), left.size());
    memory.write(call.report, &running, sizeof running);
    CHECK(refusal(call) == "ERR_CAPTURE_BUSY");  // another one is at work
  }
  CHECK(refusal(call) == "ERR_CAPTURE_BUSY");  // the thread is still in there
  ProcessMemory(call.pid).write(call.report, "\2", 1);
  CHECK(call_in_thread(call).result == strlen("/some/path") + 5);
  CHECK(child.exit_code() == 0);
  close(epoll);
}

}  // namespace

void test_injected_call() {
  comes_back_with_eintr();
  begins_again();
  goes_on_sleeping();
  is_refused();
  waits_for_an_earlier_one();
}

#else
void test_injected_call() { note("there is no injection for this machine"); }
#endif
