#include "agent/library/tunnel/tunnel_order.h"

#include <string.h>

#define ALL_FLAGS ((uint32_t)(DPCAP_MIRROR_IPV6 | DPCAP_MIRROR_SHORT_TIME | DPCAP_MIRROR_NEXT_HOP_GIVEN))
#define MOST_HARDWARE_ID 0x3fu

static uint32_t most_id(uint32_t kind) {
  if (kind == DPCAP_MIRROR_GRETAP) return UINT32_MAX;
  return kind == DPCAP_MIRROR_VXLAN ? DPCAP_VXLAN_MOST_ID : DPCAP_ERSPAN_MOST_ID;
}

static bool is_host_v6(const uint8_t *address) {
  static const uint8_t none[16];
  return address[0] != 0xff && memcmp(address, none, sizeof none) != 0;
}

// Neither nobody's nor a group's; bytes that are not its own are zeros.
static bool is_host(const uint8_t *address, bool is_ipv6) {
  if (is_ipv6) return is_host_v6(address);
  for (int i = 4; i < 16; i++) {
    if (address[i] != 0) return false;
  }
  return address[0] != 0 && address[0] < 224;
}

static bool is_mac_of_one(const uint8_t *mac) {
  static const uint8_t none[6];
  return (mac[0] & 1) == 0 && memcmp(mac, none, sizeof none) != 0;
}

static bool has_sane_ends(const struct dpcap_mirror_tunnel *order) {
  const bool is_ipv6 = (order->flags & DPCAP_MIRROR_IPV6) != 0;
  const bool is_given = (order->flags & DPCAP_MIRROR_NEXT_HOP_GIVEN) != 0;
  if (is_given && !is_mac_of_one(order->next_hop)) return false;
  return is_host(order->source, is_ipv6) && is_host(order->destination, is_ipv6) && is_host(order->neighbour, is_ipv6);
}

bool tunnel_order_is_sane(const struct dpcap_mirror_tunnel *order) {
  if (order->kind < DPCAP_MIRROR_ERSPAN_II || order->kind > DPCAP_MIRROR_VXLAN) return false;
  if (order->id > most_id(order->kind) || (order->flags & ~ALL_FLAGS) != 0) return false;
  if (order->kind == DPCAP_MIRROR_VXLAN && order->udp_port == 0) return false;
  if (order->mtu < DPCAP_MIRROR_LEAST_MTU || order->ttl == 0 || order->hardware_id > MOST_HARDWARE_ID) return false;
  return has_sane_ends(order);
}

static enum dpcap_tunnel_kind kind_of(uint32_t kind) {
  if (kind == DPCAP_MIRROR_ERSPAN_II) return DPCAP_ERSPAN_II;
  if (kind == DPCAP_MIRROR_ERSPAN_III) return DPCAP_ERSPAN_III;
  return kind == DPCAP_MIRROR_GRETAP ? DPCAP_GRETAP : DPCAP_VXLAN;
}

struct own_tunnel tunnel_of_order(const struct dpcap_mirror_tunnel *order) {
  struct own_tunnel own = {
      .tunnel = {kind_of(order->kind), order->id, order->udp_port, order->hardware_id,
                 (order->flags & DPCAP_MIRROR_SHORT_TIME) != 0},
      .outer = {.is_ipv6 = (order->flags & DPCAP_MIRROR_IPV6) != 0,
                .ttl = order->ttl,
                .traffic_class = order->traffic_class},
  };
  memcpy(own.outer.source, order->source, sizeof own.outer.source);
  memcpy(own.outer.destination, order->destination, sizeof own.outer.destination);
  return own;
}
