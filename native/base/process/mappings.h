// What a process has mapped, and where: /proc/PID/maps. Any thread.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace dpcap {

struct Mapping {
  uint64_t start;
  uint64_t end;     // behind the last byte
  int protection;   // PROT_READ, PROT_WRITE, PROT_EXEC
  uint64_t offset;  // in the file
  dev_t device;
  uint64_t inode;
  std::string name;  // of the file, "[stack]" and the like, or nothing

  uint64_t size() const { return end - start; }
  bool holds(uint64_t address) const { return address >= start && address < end; }
};

// Reads a line of the file. Returns nothing for anything else.
std::optional<Mapping> parse_mapping(const std::string& line);

// Finds the first mapping that `is_wanted` says yes to; a visitor of all of them says no. `process`: "self", or a pid.
// A process that has ended has none, nor has one that may not be looked at: errno tells.
std::optional<Mapping> find_mapping(const std::string& process, const std::function<bool(const Mapping&)>& is_wanted);

}  // namespace dpcap
