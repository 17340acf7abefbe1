#include "base/process/mappings.h"

#include <sys/mman.h>
#include <sys/sysmacros.h>

#include <cinttypes>
#include <cstdio>
#include <fstream>

namespace dpcap {

std::optional<Mapping> parse_mapping(const std::string& line) {
  Mapping mapping{};
  char permissions[5];
  unsigned device_major, device_minor;
  int name_at = 0;
  const int read =
      sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &mapping.start, &mapping.end,
             permissions, &mapping.offset, &device_major, &device_minor, &mapping.inode, &name_at);
  if (read != 7) return std::nullopt;
  mapping.protection = (permissions[0] == 'r' ? PROT_READ : 0) | (permissions[1] == 'w' ? PROT_WRITE : 0) |
                       (permissions[2] == 'x' ? PROT_EXEC : 0);
  mapping.device = makedev(device_major, device_minor);
  if (name_at > 0) mapping.name = line.substr(static_cast<size_t>(name_at));
  return mapping;
}

std::optional<Mapping> find_mapping(const std::string& process, const std::function<bool(const Mapping&)>& is_wanted) {
  std::ifstream maps("/proc/" + process + "/maps");
  for (std::string line; std::getline(maps, line);) {
    std::optional<Mapping> mapping = parse_mapping(line);
    if (mapping && is_wanted(*mapping)) return mapping;
  }
  return std::nullopt;
}

}  // namespace dpcap
