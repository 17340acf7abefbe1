// The functions and queues by which a process receives and sends, read from its table rte_eth_fp_ops without joining
// it. Any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "record/lane.h"

namespace dpcap {

// Where a row of the table has what, in bytes (src/native/releases.ts).
struct FastPathLayout {
  uint32_t row_bytes;
  uint32_t rx_function;
  uint32_t rx_queues;
  uint32_t tx_function;
  uint32_t tx_queues;
};

// The table of a process's devices, rte_eth_devices: where a row has the pointer to what begins with the device's name.
struct DeviceTable {
  uint64_t address = 0;  // 0: it is not known
  uint32_t row_bytes = 0;
  uint32_t data = 0;
};

// The table of a process.
struct FastPathTable {
  int pid;
  uint64_t address;
  uint32_t rows;
  FastPathLayout layout;
  DeviceTable devices;
};

// By what a driver is called for a lane: its function, and the queue that this is given.
struct FastPath {
  uint64_t function = 0;
  uint64_t queue = 0;

  bool is_set() const { return function != 0 && queue != 0; }
  bool operator==(const FastPath& other) const { return function == other.function && queue == other.queue; }
};

// Returns what the table says of a lane: nothing is set for a port that is stopped, or is not there, or has not that
// queue. Returns nothing when the process has ended. Throws ERR_PERMISSION.
std::optional<FastPath> read_fast_path(const FastPathTable& table, const LaneId& lane);

// Returns the name of the device that has the port's number now, empty when none has. Returns nothing when the process
// has ended, or its devices are not known. Throws ERR_PERMISSION.
std::optional<std::string> read_device_name(const FastPathTable& table, uint16_t port);

// How a thread passes a probe at a function's entry. The instruction that the probe replaces is carried out by the
// kernel itself, or by the thread, which then stops there a second time: that is most of what a probe costs.
enum class Entry { simulated, stepped };

// Returns that of all functions of these processes, of ports that are not stopped: the dearer one where they differ, or
// are not known. Throws ERR_PERMISSION.
Entry read_entry(const std::vector<FastPathTable>& tables);
// That of a function that begins with these bytes.
Entry entry_of(const uint8_t (&begin)[2]);

}  // namespace dpcap
