#include "ebpf/fast_path.h"

#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace dpcap {
namespace {

// RTE_ETH_NAME_MAX_LEN.
constexpr size_t kNameBytes = 64;

// Returns what is at an address, zeros where nothing is mapped, and nothing when the process has ended.
template <typename T>
std::optional<T> read(int pid, uint64_t address) {
  T value{};
  const iovec to{&value, sizeof value};
  const iovec from{reinterpret_cast<void*>(address), sizeof value};
  if (process_vm_readv(pid, &to, 1, &from, 1, 0) == static_cast<ssize_t>(sizeof value)) return value;
  if (errno == ESRCH) return std::nullopt;
  if (errno == EPERM) {
    throw Error("ERR_PERMISSION", "may not read the memory of pid " + std::to_string(pid), EPERM);
  }
  return T{};
}

std::optional<uint64_t> read_word(int pid, uint64_t address) { return read<uint64_t>(pid, address); }

// Returns those by which a process receives and sends at ports that are not stopped.
std::vector<uint64_t> functions_of(const FastPathTable& table) {
  std::vector<uint64_t> functions;
  const auto function_at = [&](uint32_t port, uint32_t at) {
    return read_word(table.pid, table.address + uint64_t{port} * table.layout.row_bytes + at).value_or(0);
  };
  for (const uint32_t at : {table.layout.rx_function, table.layout.tx_function}) {
    const uint64_t idle = function_at(table.rows - 1, at);
    for (uint32_t port = 0; port + 1 < table.rows; port++) {
      const uint64_t function = function_at(port, at);
      if (function != 0 && function != idle) functions.push_back(function);
    }
  }
  return functions;
}

}  // namespace

// Ports that are stopped, and those that are not there, have functions that do nothing. So has the last row of the
// table: nobody has as many ports as a build of DPDK provides for.
std::optional<FastPath> read_fast_path(const FastPathTable& table, const LaneId& lane) {
  const FastPathLayout& layout = table.layout;
  const bool is_rx = lane.direction == Direction::rx;
  const uint32_t function_at = is_rx ? layout.rx_function : layout.tx_function;
  const auto row = [&](uint32_t port) { return table.address + uint64_t{port} * layout.row_bytes; };
  if (lane.port >= table.rows) return FastPath{};
  const auto idle = read_word(table.pid, row(table.rows - 1) + function_at);
  const auto function = read_word(table.pid, row(lane.port) + function_at);
  const auto queues = read_word(table.pid, row(lane.port) + (is_rx ? layout.rx_queues : layout.tx_queues));
  if (!idle || !function || !queues) return std::nullopt;
  if (*function == *idle || *queues == 0) return FastPath{};
  const auto queue = read_word(table.pid, *queues + uint64_t{lane.queue} * sizeof(uint64_t));
  if (!queue) return std::nullopt;
  return FastPath{*function, *queue};
}

// A row without a device points to nothing, and a device that is being added or taken away has no name.
std::optional<std::string> read_device_name(const FastPathTable& table, uint16_t port) {
  const DeviceTable& devices = table.devices;
  if (devices.address == 0 || port >= table.rows) return std::nullopt;
  const auto data = read_word(table.pid, devices.address + uint64_t{port} * devices.row_bytes + devices.data);
  if (!data) return std::nullopt;
  const auto name = read<std::array<char, kNameBytes>>(table.pid, *data);
  if (!name) return std::nullopt;
  return std::string(name->data(), strnlen(name->data(), name->size()));
}

// Functions that need many registers begin with a push, which the kernel carries out on x86-64
// (arch/x86/kernel/uprobes.c, since Linux 4.16); little else is, and nothing of what functions on arm64 begin with.
Entry entry_of(const uint8_t (&begin)[2]) {
#ifdef __x86_64__
  const auto is_push = [](uint8_t code) { return code >= 0x50 && code <= 0x57; };
  const bool has_prefix = begin[0] == 0x41;
  if (is_push(begin[has_prefix ? 1 : 0])) return Entry::simulated;
#else
  (void)begin;
#endif
  return Entry::stepped;
}

Entry read_entry(const std::vector<FastPathTable>& tables) {
  bool is_any = false;
  for (const FastPathTable& table : tables) {
    for (const uint64_t function : functions_of(table)) {
      const uint64_t word = read_word(table.pid, function).value_or(0);
      const uint8_t begin[2] = {static_cast<uint8_t>(word), static_cast<uint8_t>(word >> 8)};
      if (entry_of(begin) == Entry::stepped) return Entry::stepped;
      is_any = true;
    }
  }
  return is_any ? Entry::simulated : Entry::stepped;
}

}  // namespace dpcap
