#include "base/process/process_id.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace dpcap {
namespace {

// The kernel gives the first PID namespace this inode (PROC_PID_INIT_INO, since 3.8). It sees all processes.
constexpr uint64_t kInitialPidNamespace = 0xEFFFFFFCu;

std::string proc(const std::string& process, const char* file) { return "/proc/" + process + "/" + file; }

uint64_t start_time_of(const std::string& process) {
  std::ifstream stat(proc(process, "stat"));
  std::stringstream text;
  text << stat.rdbuf();
  const std::string line = text.str();
  const size_t after_name = line.rfind(')');  // the name may contain spaces and parentheses
  if (after_name == std::string::npos) return 0;
  std::istringstream fields(line.substr(after_name + 2));
  std::string field;
  fields >> field;
  if (field == "Z" || field == "X") return 0;
  for (int i = 4; i <= 22; i++) fields >> field;
  return strtoull(field.c_str(), nullptr, 10);
}

// Returns the namespace's inode; 0 with errno when it cannot be read.
uint64_t namespace_of(const std::string& process, const char* kind) {
  struct stat status;
  return stat(proc(process, kind).c_str(), &status) == 0 ? status.st_ino : 0;
}

// Returns the pids of a process in the reader's PID namespace and in those below that it is in, the innermost last.
// Empty when it is gone.
std::vector<int> pids_of(const std::string& process) {
  std::ifstream status(proc(process, "status"));
  std::vector<int> pids;
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("NSpid:", 0) != 0) continue;
    std::istringstream words(line.substr(sizeof "NSpid:" - 1));
    for (int pid; words >> pid;) pids.push_back(pid);
  }
  return pids;
}

// Judges a process with the right pid by its start time. /proc shows start times by the clock of the reader's time
// namespace, so the start time that a process of another time namespace has recorded of itself cannot be compared.
Life life_by_start(const std::string& process, uint64_t start_time) {
  const uint64_t start = start_time_of(process);
  if (start == 0) return Life::gone;
  if (start == start_time) return Life::running;
  return namespace_of(process, "ns/time") == namespace_of("self", "ns/time") ? Life::gone : Life::unknown;
}

// A /proc that was mounted in another PID namespace shows other processes under the same pids.
bool is_proc_ours() {
  char target[32];
  const ssize_t length = readlink("/proc/self", target, sizeof target);
  return length > 0 && std::string(target, static_cast<size_t>(length)) == std::to_string(getpid());
}

std::vector<std::string> all_processes() {
  std::vector<std::string> all;
  DIR* dir = opendir("/proc");
  if (dir == nullptr) return all;
  while (const dirent* entry = readdir(dir)) {
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') all.push_back(entry->d_name);
  }
  closedir(dir);
  return all;
}

bool sees_all() { return own_pid_namespace() == kInitialPidNamespace; }

// From here, either all processes of a PID namespace are visible (in this process's own and those below it) or none.
Life life_elsewhere(const ProcessId& process) {
  bool is_seen = false;
  for (const std::string& other : all_processes()) {
    const std::vector<int> pids = pids_of(other);
    if (pids.size() < 2) continue;  // it is in this process's own namespace
    errno = 0;
    const uint64_t space = namespace_of(other, "ns/pid");
    if (space == 0 && errno != ENOENT && errno != ESRCH) return Life::unknown;  // this process may not look at it
    if (space != process.pid_namespace) continue;
    is_seen = true;
    if (pids.back() != process.pid) continue;
    const Life life = life_by_start(other, process.start_time);
    if (life != Life::gone) return life;
  }
  return is_seen || sees_all() ? Life::gone : Life::unknown;
}

}  // namespace

uint64_t start_time_of(int pid) { return start_time_of(std::to_string(pid)); }

uint64_t own_pid_namespace() { return namespace_of("self", "ns/pid"); }

// Uses "self", because a /proc of another namespace does not know this process's pid.
ProcessId current_process() { return {getpid(), start_time_of("self"), own_pid_namespace()}; }

Life life_of(const ProcessId& process) {
  if (process.pid <= 0 || process.start_time == 0) return Life::gone;
  if (process.pid_namespace == 0 || !is_proc_ours()) return Life::unknown;
  if (process.pid_namespace != own_pid_namespace()) return life_elsewhere(process);
  return life_by_start(std::to_string(process.pid), process.start_time);
}

Life life_of(int32_t pid, uint32_t low_start_time) {
  if (!is_proc_ours()) return Life::unknown;
  for (const std::string& process : all_processes()) {
    const std::vector<int> pids = pids_of(process);
    if (std::find(pids.begin(), pids.end(), pid) == pids.end()) continue;
    const uint64_t start = start_time_of(process);
    if (start != 0 && static_cast<uint32_t>(start) == low_start_time) return Life::running;
  }
  return sees_all() ? Life::gone : Life::unknown;
}

}  // namespace dpcap
