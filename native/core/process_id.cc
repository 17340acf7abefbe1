#include "core/process_id.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace dpcap {

uint64_t start_time_of(int pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
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

uint64_t own_pid_namespace() {
  struct stat status;
  return stat("/proc/self/ns/pid", &status) == 0 ? status.st_ino : 0;
}

ProcessId current_process() { return {getpid(), start_time_of(getpid()), own_pid_namespace()}; }

bool is_running(const ProcessId& process) {
  if (process.pid_namespace != own_pid_namespace()) return true;
  return process.pid > 0 && start_time_of(process.pid) == process.start_time && process.start_time != 0;
}

}  // namespace dpcap
