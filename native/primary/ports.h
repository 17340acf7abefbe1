// Reads the primary's ports from the ethdev data that it shares, without any driver. Any thread; nothing is locked once
// the data have been found.
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

// Returns all ports that exist at this moment; none when the primary has none yet.
// Throws ERR_VERSION_MISMATCH when the table is not laid out as in the DPDK of this build.
std::vector<Port> list_ports();

// Returns the port in slot `id` at this moment. It has no name when the slot is empty or cannot be read.
Port port_in_slot(uint16_t id);

// Tells whether slot `id` holds the device `name` at this moment. Takes a few nanoseconds: the drain thread calls it
// once a burst.
bool slot_holds(uint16_t id, const std::string& name);

}  // namespace dpcap
