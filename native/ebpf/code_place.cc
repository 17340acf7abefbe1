#include "ebpf/code_place.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>

#include "base/error.h"

namespace dpcap {
namespace {

std::string hex(uint64_t value) {
  char text[17];
  snprintf(text, sizeof text, "%" PRIx64, value);
  return text;
}

[[noreturn]] void complain_of_none(const std::string& process, int err) {
  if (err == EACCES || err == EPERM) {
    throw Error("ERR_PERMISSION", "may not look at the mappings of " + process, err, process);
  }
  throw Error("ERR_PRIMARY_GONE", "there are no mappings of " + process + ": it has ended", ESRCH, process);
}

}  // namespace

std::optional<CodePlace> code_in(const Mapping& mapping, const std::string& process, uint64_t address) {
  if (!mapping.holds(address) || (mapping.protection & PROT_EXEC) == 0 || mapping.name[0] != '/') return std::nullopt;
  return CodePlace{process + "/map_files/" + hex(mapping.start) + "-" + hex(mapping.end), mapping.name,
                   mapping.offset + (address - mapping.start), mapping.device, mapping.inode};
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
  bool has_any = false;
  errno = 0;
  const auto mapping = find_mapping(std::to_string(pid), [&](const Mapping& one) {
    has_any = true;
    return one.holds(address);
  });
  if (!has_any) complain_of_none(process, errno);
  std::optional<CodePlace> found = mapping ? code_in(*mapping, process, address) : std::nullopt;
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
