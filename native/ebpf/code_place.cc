#include "ebpf/code_place.h"

#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/error.h"

namespace dpcap {
namespace {

std::string hex(uint64_t value) {
  char text[17];
  snprintf(text, sizeof text, "%" PRIx64, value);
  return text;
}

std::string read_maps(const std::string& process) {
  std::ifstream file(process + "/maps");
  std::ostringstream text;
  if (file) text << file.rdbuf();
  const int err = errno;
  if (!text.str().empty()) return text.str();
  if (err == EACCES || err == EPERM) {
    throw Error("ERR_PERMISSION", "may not look at the mappings of " + process, err, process);
  }
  throw Error("ERR_PRIMARY_GONE", "there are no mappings of " + process + ": it has ended", ESRCH, process);
}

}  // namespace

std::optional<CodePlace> find_code(const std::string& maps, const std::string& process, uint64_t address) {
  std::istringstream lines(maps);
  for (std::string line; std::getline(lines, line);) {
    uint64_t start, end, offset, inode;
    unsigned device_major, device_minor;
    char permissions[5];
    int path_at = 0;
    const int read = sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &start, &end,
                            permissions, &offset, &device_major, &device_minor, &inode, &path_at);
    if (read != 7 || address < start || address >= end) continue;
    const std::string path = path_at > 0 ? line.substr(static_cast<size_t>(path_at)) : "";
    if (permissions[2] != 'x' || path.empty() || path[0] != '/') return std::nullopt;
    return CodePlace{process + "/map_files/" + hex(start) + "-" + hex(end), path, offset + (address - start),
                     makedev(device_major, device_minor), inode};
  }
  return std::nullopt;
}

bool is_mapped_file(const CodePlace& place, const struct stat& file) {
  return file.st_dev == place.device && file.st_ino == place.inode;
}

namespace {

// Finds the file by its name, as the process sees it. After an upgrade of a package that is a file that nobody runs, so
// that a probe on it would never be met.
std::string path_by_name(const std::string& process, const CodePlace& place) {
  std::string path = process + "/root" + place.name;
  struct stat file;
  if (stat(path.c_str(), &file) == 0 && is_mapped_file(place, file)) return path;
  throw Error("ERR_ENABLE_FAILED",
              place.name + " is not known to be the file that " + process +
                  " runs: it was replaced, or its file system tells two devices; whoever has CAP_SYS_ADMIN or "
                  "CAP_CHECKPOINT_RESTORE reaches the right one",
              ESTALE, place.name);
}

}  // namespace

// Whoever may not follow the link of a mapping goes by the name.
CodePlace code_place(int pid, uint64_t address) {
  const std::string process = "/proc/" + std::to_string(pid);
  std::optional<CodePlace> found = find_code(read_maps(process), process, address);
  if (!found) {
    throw Error(
        "ERR_ENABLE_FAILED",
        "the function at 0x" + hex(address) + " of pid " + std::to_string(pid) + " is in no file that is mapped",
        ENOENT);
  }
  if (access(found->path.c_str(), R_OK) != 0) found->path = path_by_name(process, *found);
  return *found;
}

}  // namespace dpcap
