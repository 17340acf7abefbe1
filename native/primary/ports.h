// The primary's ports, read from the ethdev data it shares, without any driver. Any thread; nothing is locked once the
// data have been found.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace dpcap {

struct Port {
  uint16_t id;
  std::string name;  // device name: what pdump requests are addressed to
  uint16_t rx_queues;
  uint16_t tx_queues;
};

// All ports there are at this moment. Empty when the primary has none yet.
// Throws ERR_VERSION_MISMATCH when the table is not laid out as in the DPDK of this build.
std::vector<Port> list_ports();

// The port in slot `id` at this moment; one without a name is an empty slot, or one that cannot be read.
Port port_in_slot(uint16_t id);

// Whether slot `id` holds the device `name` at this moment. A few nanoseconds: for the drain, once a burst.
bool slot_holds(uint16_t id, const std::string& name);

}  // namespace dpcap
