#include "base/fault_point.h"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <mutex>
#include <sstream>
#include <string>

namespace dpcap {
namespace {

struct Fault {
  std::string action;
  unsigned countdown;  // passes that are left until the fault happens; 0 when it has happened
};

std::map<std::string, Fault> parse(const char* text) {
  std::map<std::string, Fault> faults;
  std::istringstream list(text);
  for (std::string word; std::getline(list, word, ',');) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos) continue;
    const size_t at = word.find('@');
    const bool is_counted = at != std::string::npos && at < equals;
    const unsigned count = is_counted ? static_cast<unsigned>(strtoul(word.c_str() + at + 1, nullptr, 10)) : 1;
    faults[word.substr(0, is_counted ? at : equals)] = {word.substr(equals + 1), count};
  }
  return faults;
}

// raise() sends the signal to this thread, which therefore does not go on past the point. A signal to the process may
// be given to another thread, which may have to wait for a CPU.
void carry_out(const std::string& action) {
  if (action == "kill") raise(SIGKILL);
  if (action == "stop") raise(SIGSTOP);
  if (action == "segv") raise(SIGSEGV);
  if (action.compare(0, 6, "sleep:") != 0) return;
  const long ms = strtol(action.c_str() + 6, nullptr, 10);
  const timespec pause = {ms / 1000, (ms % 1000) * 1000000L};
  nanosleep(&pause, nullptr);
}

}  // namespace

void fault_point(const char* name) {
  static const char* const text = getenv("DPCAP_FAULT");
  if (text == nullptr) return;
  static std::mutex mutex;
  static std::map<std::string, Fault> faults = parse(text);
  std::string action;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    const auto found = faults.find(name);
    if (found == faults.end() || found->second.countdown == 0 || --found->second.countdown != 0) return;
    action = found->second.action;
  }
  carry_out(action);
}

}  // namespace dpcap
