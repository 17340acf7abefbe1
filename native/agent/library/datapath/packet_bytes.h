// A packet's bytes as they were, or will be, on the wire: with the VLAN tags that are not in the data, its segments
// joined. Threads of the application, in a callback; inline, because records are written by the million.
#pragma once
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "agent/protocol.h"

#define PACKET_MAC_BYTES (2u * RTE_ETHER_ADDR_LEN)
#define PACKET_TAG_BYTES 4u
#define PACKET_TAG_FLAGS \
  (RTE_MBUF_F_RX_QINQ_STRIPPED | RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_TX_QINQ | RTE_MBUF_F_TX_VLAN)

struct packet_tags {
  bool outer;
  bool inner;
};

// The tags that are not in the data: the NIC took them off, or is to put them in. RTE_MBUF_F_TX_QINQ stands for both
// (rte_mbuf_core.h of 22.11 to 26.07); RTE_MBUF_F_RX_QINQ_STRIPPED says that the outer one was taken off.
static inline struct packet_tags packet_missing_tags(uint32_t direction, const struct rte_mbuf *packet) {
  const uint64_t flags = packet->ol_flags;
  if (direction == DPCAP_AGENT_RX)
    return (struct packet_tags){(flags & RTE_MBUF_F_RX_QINQ_STRIPPED) != 0, (flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0};
  return (struct packet_tags){(flags & RTE_MBUF_F_TX_QINQ) != 0,
                              (flags & (RTE_MBUF_F_TX_QINQ | RTE_MBUF_F_TX_VLAN)) != 0};
}

// Bytes of those tags.
static inline uint32_t packet_tag_bytes(uint32_t direction, const struct rte_mbuf *packet) {
  if ((packet->ol_flags & PACKET_TAG_FLAGS) == 0 || packet->pkt_len < PACKET_MAC_BYTES) return 0;
  const struct packet_tags tags = packet_missing_tags(direction, packet);
  return PACKET_TAG_BYTES * ((uint32_t)tags.outer + (uint32_t)tags.inner);
}

static inline uint32_t packet_length(uint32_t direction, const struct rte_mbuf *packet) {
  return packet->pkt_len + packet_tag_bytes(direction, packet);
}

// Copies `size` bytes at `offset` of the chain. What a broken chain does not have is zero.
static inline void packet_copy_chain(const struct rte_mbuf *packet, uint32_t offset, uint32_t size, uint8_t *out) {
  for (; packet != NULL && offset >= packet->data_len; packet = packet->next) offset -= packet->data_len;
  for (; packet != NULL && size > 0; packet = packet->next) {
    const uint32_t there = packet->data_len - offset;
    const uint32_t part = size < there ? size : there;
    memcpy(out, rte_pktmbuf_mtod_offset(packet, const uint8_t *, offset), part);
    out += part;
    size -= part;
    offset = 0;
  }
  memset(out, 0, size);
}

static inline uint32_t packet_write_tag(uint8_t *out, uint16_t type, uint16_t tci) {
  const uint8_t tag[PACKET_TAG_BYTES] = {(uint8_t)(type >> 8), (uint8_t)type, (uint8_t)(tci >> 8), (uint8_t)tci};
  memcpy(out, tag, sizeof tag);
  return sizeof tag;
}

static inline void packet_copy_tagged(uint32_t direction, const struct rte_mbuf *packet, uint32_t size, uint8_t *out) {
  const struct packet_tags tags = packet_missing_tags(direction, packet);
  uint8_t both[2 * PACKET_TAG_BYTES];
  uint32_t tag_bytes = 0;
  if (tags.outer) tag_bytes += packet_write_tag(both, RTE_ETHER_TYPE_QINQ, packet->vlan_tci_outer);
  if (tags.inner) tag_bytes += packet_write_tag(both + tag_bytes, RTE_ETHER_TYPE_VLAN, packet->vlan_tci);
  const uint32_t front = size < PACKET_MAC_BYTES ? size : PACKET_MAC_BYTES;
  const uint32_t middle = size - front < tag_bytes ? size - front : tag_bytes;
  packet_copy_chain(packet, 0, front, out);
  memcpy(out + front, both, middle);
  packet_copy_chain(packet, front, size - front - middle, out + front + middle);
}

// Copies the first `size` bytes, which are no more than packet_length().
static inline void packet_copy(uint32_t direction, const struct rte_mbuf *packet, uint32_t size, uint8_t *out) {
  if (packet_tag_bytes(direction, packet) != 0) {
    packet_copy_tagged(direction, packet, size, out);
  } else if (size <= packet->data_len) {
    memcpy(out, rte_pktmbuf_mtod(packet, const uint8_t *), size);
  } else {
    packet_copy_chain(packet, 0, size, out);
  }
}
