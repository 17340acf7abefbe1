// The memory of another process through /proc/PID/mem, also pages that it cannot write itself. One thread.
#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.h"

namespace dpcap {

class ProcessMemory {
 public:
  // Keeps other injectors out until it is destroyed: they lock the same file. Throws ERR_CAPTURE_BUSY when one is at
  // work, ERR_PERMISSION, ERR_PRIMARY_GONE.
  explicit ProcessMemory(pid_t pid);

  // All of it or nothing: they throw ERR_PRIMARY_GONE or ERR_SYSTEM.
  void read(uint64_t address, void* out, size_t size) const;
  void write(uint64_t address, const void* bytes, size_t size) const;
  // A text of at most `most` bytes; empty when there is none.
  std::string read_text(uint64_t address, size_t most) const;

 private:
  pid_t pid_;
  Descriptor fd_;
};

}  // namespace dpcap
