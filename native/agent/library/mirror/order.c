#include "agent/library/mirror/order.h"

#include <string.h>

#include "agent/library/datapath/filter.h"
#include "agent/library/tunnel/tunnel_order.h"

#define ALL_FLAGS ((uint32_t)(DPCAP_MIRROR_PUSH_VLAN | DPCAP_MIRROR_BY_REFERENCE))
#define BOTH_DIRECTIONS ((uint32_t)(DPCAP_AGENT_RX | DPCAP_AGENT_TX))
#define RESERVED_VLAN 0xfffu

static bool has_name(const char *device) {
  return device[0] != 0 && memchr(device, 0, DPCAP_AGENT_DEVICE_BYTES) != NULL;
}

// The same mbuf cannot be cut, nor have a tag that the original has not.
static bool agrees(const struct dpcap_mirror_order *head) {
  if ((head->flags & DPCAP_MIRROR_BY_REFERENCE) == 0) return true;
  return (head->flags & DPCAP_MIRROR_PUSH_VLAN) == 0 && head->snaplen == DPCAP_MIRROR_MOST_SNAPLEN;
}

static bool is_sane(const struct dpcap_mirror_order *head) {
  if (head->id == 0 || head->owner_pid == 0) return false;
  if (head->lease_seconds == 0 || head->lease_seconds > DPCAP_MIRROR_MOST_LEASE) return false;
  if (head->directions == 0 || (head->directions & ~BOTH_DIRECTIONS) != 0) return false;
  if (head->snaplen < DPCAP_MIRROR_LEAST_SNAPLEN || head->snaplen > DPCAP_MIRROR_MOST_SNAPLEN) return false;
  if ((head->flags & ~ALL_FLAGS) != 0 || !agrees(head)) return false;
  if ((head->vlan_tci & RESERVED_VLAN) == RESERVED_VLAN) return false;
  if (head->filter_bytes >= DPCAP_MIRROR_FILTER_BYTES) return false;
  return has_name(head->source_device) && has_name(head->target_device);
}

// Copies would come back to their own port for ever.
static bool is_sane_to_port(const struct dpcap_mirror_order *head) { return head->source_port != head->target_port; }

// The headers of a tunnel would go in front of the application's packet.
static bool is_sane_to_tunnel(const struct mirror_order *order) {
  return (order->head.flags & DPCAP_MIRROR_BY_REFERENCE) == 0 && tunnel_order_is_sane(&order->tunnel);
}

// Of what is behind the fixed part, which has so many bytes.
static bool read_rest(const uint8_t *bytes, size_t size, size_t fixed, struct mirror_order *order) {
  const struct dpcap_mirror_order *const head = &order->head;
  const uint64_t program_bytes = ((uint64_t)head->rx_instructions + head->tx_instructions) * FILTER_INSTRUCTION_BYTES;
  if (size != fixed + program_bytes + head->filter_bytes) return false;
  order->programs = bytes + fixed;
  order->filter = (const char *)order->programs + program_bytes;
  return true;
}

bool mirror_order_read(const void *bytes, size_t size, struct mirror_order *order) {
  memset(order, 0, sizeof *order);
  if (size < sizeof order->head) return false;
  memcpy(&order->head, bytes, sizeof order->head);
  return is_sane(&order->head) && is_sane_to_port(&order->head) && read_rest(bytes, size, sizeof order->head, order);
}

bool mirror_order_read_tunnel(const void *bytes, size_t size, struct mirror_order *order) {
  struct dpcap_mirror_tunnel_order fixed;
  memset(order, 0, sizeof *order);
  if (size < sizeof fixed) return false;
  memcpy(&fixed, bytes, sizeof fixed);
  order->head = fixed.mirror;
  order->has_tunnel = true;
  order->tunnel = fixed.tunnel;
  return is_sane(&order->head) && is_sane_to_tunnel(order) && read_rest(bytes, size, sizeof fixed, order);
}
