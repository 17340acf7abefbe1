// Where the code at an address of a process comes from: a file, and the offset in it, which is what a probe is set on.
// Any thread.
#pragma once
#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/process/mappings.h"

namespace dpcap {

struct CodePlace {
  std::string path;  // to open the very file by, also where it was deleted or is in another mount namespace
  std::string name;  // for people
  uint64_t offset;
  uint64_t device;  // as stat() tells it
  uint64_t inode;
};

// The place of an address in a mapping: nothing where it is not in it, or in no code of a file. `process`: "/proc/PID".
std::optional<CodePlace> code_in(const Mapping& mapping, const std::string& process, uint64_t address);

// Whether a file is the one that is mapped, and not one that has its name by now.
bool is_mapped_file(const CodePlace& place, const struct stat& file);

// The same for a process that runs. Throws ERR_PERMISSION, ERR_PRIMARY_GONE, ERR_ENABLE_FAILED when no file is mapped,
// or it cannot be reached.
CodePlace code_place(int pid, uint64_t address);

}  // namespace dpcap
