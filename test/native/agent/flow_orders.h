// Orders for mirrors in hardware, as clients send them.
#pragma once
#include <cstring>
#include <string>
#include <vector>

#include "agent/wire/flow.h"

inline dpcap_flow_destination to(uint32_t kind, uint32_t value) {
  dpcap_flow_destination destination{};
  destination.kind = kind;
  destination.value = value;
  if (kind == DPCAP_FLOW_PORT) strcpy(destination.device, ("port" + std::to_string(value)).c_str());
  return destination;
}

// Of the embedded switch: from what port 1 represents to port 2; the originals go to group 5.
inline dpcap_flow_order head(uint32_t rules) {
  dpcap_flow_order order{};
  order.id = 9;
  order.owner_pid = 77;
  order.lease_seconds = 60;
  order.flags = DPCAP_FLOW_TRANSFER | DPCAP_FLOW_COUNT;
  order.ratio = 4;
  order.rule_count = rules;
  order.text_bytes = 3;
  order.through = order.source = 1;
  order.copy = to(DPCAP_FLOW_PORT, 2);
  order.fate = to(DPCAP_FLOW_JUMP, 5);
  strcpy(order.through_device, "port1");
  strcpy(order.source_device, "port1");
  return order;
}

inline dpcap_flow_match match() {
  dpcap_flow_match one{};
  one.flags = DPCAP_FLOW_TAGGED;
  one.vlan_tci = 100;
  one.vlan_tci_mask = 0xfff;
  one.ip_version = 4;
  one.ports_of = 6;
  one.target_port = 443;
  one.target_port_mask = 0xffff;
  memcpy(one.source_ip, "\x0a\x00\x00\x00", 4);
  memcpy(one.source_ip_mask, "\xff\x00\x00\x00", 4);
  return one;
}

inline std::vector<uint8_t> message(const dpcap_flow_order& order, const dpcap_flow_match& one = match()) {
  std::vector<uint8_t> bytes(sizeof order + order.rule_count * sizeof one + order.text_bytes, 'x');
  memcpy(bytes.data(), &order, sizeof order);
  for (uint32_t i = 0; i < order.rule_count; i++)
    memcpy(bytes.data() + sizeof order + i * sizeof one, &one, sizeof one);
  return bytes;
}
