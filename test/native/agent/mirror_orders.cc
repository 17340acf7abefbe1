// What messages about mirrors may say.
extern "C" {
#include "agent/library/mirror/order.h"
}

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "tap.h"

namespace {

using Bytes = std::vector<uint8_t>;

Bytes beginning(const Bytes& bytes, size_t size) { return {bytes.begin(), bytes.begin() + static_cast<long>(size)}; }

Bytes order(uint32_t rx, uint32_t tx, const std::string& filter) {
  dpcap_mirror_order head{};
  head.id = head.owner_pid = 1;
  head.lease_seconds = 10;
  head.directions = DPCAP_AGENT_RX;
  head.snaplen = DPCAP_MIRROR_MOST_SNAPLEN;
  head.target_port = 1;
  head.rx_instructions = rx;
  head.tx_instructions = tx;
  head.filter_bytes = static_cast<uint32_t>(filter.size());
  strcpy(head.source_device, "a");
  strcpy(head.target_device, "b");
  Bytes bytes(sizeof head + (rx + tx) * 8);
  memcpy(bytes.data(), &head, sizeof head);
  bytes.insert(bytes.end(), filter.begin(), filter.end());
  return bytes;
}

bool is_read(const Bytes& bytes) {
  mirror_order read;
  return mirror_order_read(bytes.data(), bytes.size(), &read);
}

template <typename T>
bool is_read_with(T dpcap_mirror_order::*field, T value) {
  Bytes bytes = order(2, 1, "udp");
  dpcap_mirror_order head;
  memcpy(&head, bytes.data(), sizeof head);
  head.*field = value;
  memcpy(bytes.data(), &head, sizeof head);
  return is_read(bytes);
}

void test_mirror_orders() {
  const Bytes good = order(2, 1, "udp");
  CHECK(is_read(good));
  CHECK(is_read_with(&dpcap_mirror_order::lease_seconds, DPCAP_MIRROR_MOST_LEASE));
  CHECK(!is_read_with(&dpcap_mirror_order::lease_seconds, uint32_t{0}));
  CHECK(!is_read_with(&dpcap_mirror_order::lease_seconds, DPCAP_MIRROR_MOST_LEASE + 1));
  CHECK(!is_read_with(&dpcap_mirror_order::id, uint32_t{0}));
  CHECK(!is_read_with(&dpcap_mirror_order::owner_pid, uint32_t{0}));
  CHECK(!is_read_with(&dpcap_mirror_order::directions, uint32_t{0}));
  CHECK(!is_read_with(&dpcap_mirror_order::directions, uint32_t{7}));
  CHECK(!is_read_with(&dpcap_mirror_order::snaplen, uint32_t{13}));
  CHECK(!is_read_with(&dpcap_mirror_order::flags, uint32_t{8}));
  CHECK(!is_read_with(&dpcap_mirror_order::flags, uint32_t{DPCAP_MIRROR_BY_REFERENCE | DPCAP_MIRROR_PUSH_VLAN}));
  CHECK(is_read_with(&dpcap_mirror_order::flags, uint32_t{DPCAP_MIRROR_BY_REFERENCE}));
  CHECK(!is_read_with(&dpcap_mirror_order::vlan_tci, uint16_t{0xffff}));
  CHECK(!is_read_with(&dpcap_mirror_order::target_port, uint16_t{0}));  // the source
  CHECK(!is_read_with(&dpcap_mirror_order::rx_instructions, uint32_t{0xffffffff}));
  CHECK(!is_read_with(&dpcap_mirror_order::filter_bytes, DPCAP_MIRROR_FILTER_BYTES));
  for (size_t size = 0; size < good.size(); size++) CHECK_ALL(!is_read(beginning(good, size)));
}

void test_fuzzed_mirror_orders() {
  std::mt19937 random(31);
  int accepted = 0;
  for (int i = 0; i < 20000; i++) {
    Bytes bytes = order(random() % 4, random() % 4, "udp");
    for (uint32_t flips = random() % 4; flips > 0; flips--) bytes[random() % bytes.size()] ^= 1u << random() % 8;
    accepted += is_read(bytes);
  }
  CHECK(accepted > 0 && accepted < 20000);
}

// The same into a tunnel; out of the source itself, which is allowed.
Bytes tunnel_order(dpcap_mirror_tunnel tunnel) {
  Bytes bytes = order(2, 1, "udp");
  dpcap_mirror_order head;
  memcpy(&head, bytes.data(), sizeof head);
  head.target_port = head.source_port;
  memcpy(bytes.data(), &head, sizeof head);
  const auto* const tunnel_bytes = reinterpret_cast<const uint8_t*>(&tunnel);
  bytes.insert(bytes.begin() + sizeof head, tunnel_bytes, tunnel_bytes + sizeof tunnel);
  return bytes;
}

bool is_read_tunnel(const Bytes& bytes) {
  mirror_order read;
  return mirror_order_read_tunnel(bytes.data(), bytes.size(), &read);
}

void test_tunnel_orders() {
  dpcap_mirror_tunnel tunnel{DPCAP_MIRROR_VXLAN, 5, 0, 0, 4789, 1500, 64, 0, 0, 0, {}, {}, {10}, {11}, {11}};
  const Bytes good = tunnel_order(tunnel);
  CHECK(is_read_tunnel(good) && !is_read(good));
  for (size_t size = 0; size < good.size(); size++) CHECK_ALL(!is_read_tunnel(beginning(good, size)));
  Bytes by_reference = good;
  by_reference[offsetof(dpcap_mirror_order, flags)] = DPCAP_MIRROR_BY_REFERENCE;
  CHECK(!is_read_tunnel(by_reference));
  tunnel.ttl = 0;
  CHECK(!is_read_tunnel(tunnel_order(tunnel)));
}

}  // namespace

void test_agent_mirror_orders() {
  test_mirror_orders();
  test_tunnel_orders();
  test_fuzzed_mirror_orders();
}
