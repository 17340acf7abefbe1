#include "record/pcap_format.h"

#include <cstring>

namespace dpcap {
namespace {

constexpr uint32_t kEthernet = 1;  // LINKTYPE_ETHERNET

enum BlockType : uint32_t { kSection = 0x0a0d0d0a, kInterface = 1, kStatistics = 5 };
enum OptionCode : uint16_t {
  kEnd = 0,
  kComment = 1,
  kShbOs = 3,
  kShbUserAppl = 4,
  kIfName = 2,
  kIfDescription = 3,
  kIfTsResol = 9,
  kIfFilter = 11,
  kIsbStart = 2,
  kIsbEnd = 3,
  kIsbReceived = 4,
  kIsbDropped = 5,
  kIsbFilterAccepted = 6,
  kIsbDelivered = 8,
};

template <typename T>
void append(std::vector<uint8_t>& out, T value) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
  out.insert(out.end(), bytes, bytes + sizeof value);
}

void append_option(std::vector<uint8_t>& out, uint16_t code, const void* data, size_t size) {
  append<uint16_t>(out, code);
  append<uint16_t>(out, static_cast<uint16_t>(size));
  const auto* bytes = static_cast<const uint8_t*>(data);
  out.insert(out.end(), bytes, bytes + size);
  out.resize(padded(out.size()));
}

void append_text(std::vector<uint8_t>& out, uint16_t code, const std::string& text) {
  if (!text.empty()) append_option(out, code, text.data(), std::min<size_t>(text.size(), UINT16_MAX - 3));
}

// Opens a block and returns where it begins; close_block fills in both length fields.
size_t open_block(std::vector<uint8_t>& out, BlockType type) {
  const size_t start = out.size();
  append<uint32_t>(out, type);
  append<uint32_t>(out, 0);
  return start;
}

void close_block(std::vector<uint8_t>& out, size_t start) {
  append_option(out, kEnd, nullptr, 0);
  const uint32_t length = static_cast<uint32_t>(out.size() - start + 4);
  append<uint32_t>(out, length);
  memcpy(&out[start + 4], &length, sizeof length);
}

void append_section(std::vector<uint8_t>& out, const FileInfo& info) {
  const size_t block = open_block(out, kSection);
  append<uint32_t>(out, 0x1a2b3c4d);
  append<uint16_t>(out, 1);
  append<uint16_t>(out, 0);
  append<uint64_t>(out, UINT64_MAX);  // section length unknown: the file may be a pipe
  for (const std::string& comment : info.comments) append_text(out, kComment, comment);
  append_text(out, kShbOs, info.operating_system);
  append_text(out, kShbUserAppl, info.application);
  close_block(out, block);
}

void append_interface(std::vector<uint8_t>& out, const FileOptions& options, const InterfaceInfo& interface) {
  const size_t block = open_block(out, kInterface);
  append<uint16_t>(out, interface.link_type);
  append<uint16_t>(out, 0);
  append<uint32_t>(out, interface.snaplen != 0 ? interface.snaplen : options.snaplen);
  append_text(out, kIfName, interface.name);
  append_text(out, kIfDescription, interface.description);
  const uint8_t resolution = options.nanoseconds ? 9 : 6;
  append_option(out, kIfTsResol, &resolution, 1);
  // if_filter: a first byte 0 says that a libpcap expression follows.
  if (!interface.filter.empty()) append_text(out, kIfFilter, std::string(1, '\0') + interface.filter);
  out.insert(out.end(), interface.options.begin(), interface.options.end());
  close_block(out, block);
}

void append_time(std::vector<uint8_t>& out, uint16_t code, uint64_t units) {
  const uint32_t halves[2] = {static_cast<uint32_t>(units >> 32), static_cast<uint32_t>(units)};
  append_option(out, code, halves, sizeof halves);
}

}  // namespace

std::vector<uint8_t> file_header(const FileOptions& options, const FileInfo& info,
                                 const std::vector<InterfaceInfo>& interfaces) {
  std::vector<uint8_t> out;
  if (options.format == FileFormat::pcapng) {
    append_section(out, info);
    for (const InterfaceInfo& interface : interfaces) append_interface(out, options, interface);
    return out;
  }
  append<uint32_t>(out, options.nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4);
  append<uint16_t>(out, 2);
  append<uint16_t>(out, 4);
  append<uint32_t>(out, 0);
  append<uint32_t>(out, 0);
  append<uint32_t>(out, options.snaplen);
  append<uint32_t>(out, interfaces.empty() ? kEthernet : interfaces.front().link_type);
  return out;
}

std::vector<uint8_t> file_trailer(const FileOptions& options, const std::vector<InterfaceTotals>& totals,
                                  uint64_t start_ns, uint64_t end_ns) {
  std::vector<uint8_t> out;
  if (options.format != FileFormat::pcapng) return out;
  for (size_t i = 0; i < totals.size(); i++) {
    const size_t block = open_block(out, kStatistics);
    const uint64_t end = in_units(options, end_ns);
    append<uint32_t>(out, static_cast<uint32_t>(i));
    append<uint32_t>(out, static_cast<uint32_t>(end >> 32));
    append<uint32_t>(out, static_cast<uint32_t>(end));
    append_time(out, kIsbStart, in_units(options, start_ns));
    append_time(out, kIsbEnd, end);
    append_option(out, kIsbReceived, &totals[i].received, 8);
    append_option(out, kIsbDropped, &totals[i].lost_in_primary, 8);
    append_option(out, kIsbFilterAccepted, &totals[i].filter_accepted, 8);
    append_option(out, kIsbDelivered, &totals[i].delivered, 8);
    close_block(out, block);
  }
  return out;
}

}  // namespace dpcap
