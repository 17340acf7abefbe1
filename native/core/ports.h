// The primary's ports, read from the ethdev data it shares, without any driver.
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
std::vector<Port> list_ports();

}  // namespace dpcap
