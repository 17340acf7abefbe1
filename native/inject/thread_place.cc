#include "inject/thread_place.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "base/process/mappings.h"

namespace dpcap {
namespace {

constexpr int64_t kRests[] = {
#ifdef SYS_poll
    SYS_poll,        SYS_select,
#endif
#ifdef SYS_epoll_wait
    SYS_epoll_wait,
#endif
    SYS_epoll_pwait, SYS_ppoll,   SYS_pselect6, SYS_nanosleep, SYS_clock_nanosleep,
    SYS_accept,      SYS_accept4, SYS_recvfrom, SYS_recvmsg,
};

std::string task(pid_t pid, pid_t tid) { return "/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid); }

}  // namespace

bool is_rest(int64_t call) { return std::find(std::begin(kRests), std::end(kRests), call) != std::end(kRests); }

// "running", "-1 SP PC", or the number of a system call, its arguments, SP and PC.
std::optional<ThreadPlace> place_of(pid_t pid, pid_t tid) {
  std::ifstream file(task(pid, tid) + "/syscall");
  std::string line;
  if (!std::getline(file, line)) return {};
  std::istringstream text(line);
  const std::vector<std::string> words{std::istream_iterator<std::string>(text), {}};
  if (words.size() < 3) return {};
  const auto address = [](const std::string& word) { return strtoull(word.c_str(), nullptr, 16); };
  return ThreadPlace{strtoll(words.front().c_str(), nullptr, 10), address(words[words.size() - 2]),
                     address(words.back())};
}

uint64_t stack_room(pid_t pid, uint64_t sp) {
  const auto mapping = find_mapping(std::to_string(pid), [sp](const Mapping& one) { return one.holds(sp); });
  if (!mapping) return 0;
  return mapping->name == "[stack]" ? UINT64_MAX : sp - mapping->start;
}

bool is_thread(pid_t pid, pid_t tid) { return access(task(pid, tid).c_str(), F_OK) == 0; }

}  // namespace dpcap
