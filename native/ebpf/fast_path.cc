#include "ebpf/fast_path.h"

#include <sys/uio.h>

#include <cerrno>

#include "base/error.h"

namespace dpcap {
namespace {

// Returns the word at an address, 0 where nothing is mapped, and nothing when the process has ended.
std::optional<uint64_t> read_word(int pid, uint64_t address) {
  uint64_t word = 0;
  const iovec to{&word, sizeof word};
  const iovec from{reinterpret_cast<void*>(address), sizeof word};
  if (process_vm_readv(pid, &to, 1, &from, 1, 0) == static_cast<ssize_t>(sizeof word)) return word;
  if (errno == ESRCH) return std::nullopt;
  if (errno == EPERM) {
    throw Error("ERR_PERMISSION", "may not read the memory of pid " + std::to_string(pid), EPERM);
  }
  return 0;
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

}  // namespace dpcap
