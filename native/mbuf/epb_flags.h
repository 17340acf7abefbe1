// What pcapng says of a packet whose checksums or segments are a matter of the NIC: bits of the flags of an enhanced
// packet block (epb_flags, draft-ietf-opsawg-pcapng-02, section 4.3.1). C and C++; any thread.
#pragma once
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

#define EPB_CHECKSUM_NOT_READY (1u << 9)
#define EPB_CHECKSUM_VALID (1u << 10)
#define EPB_TO_BE_SEGMENTED (1u << 11)

// Of the flags of a packet, those that matter here.
static inline uint64_t epb_mbuf_flags(bool is_received) {
  if (is_received) return RTE_MBUF_F_RX_L4_CKSUM_MASK;
  return RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_OUTER_IP_CKSUM | RTE_MBUF_F_TX_OUTER_UDP_CKSUM |
         RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG;
}

// Of a packet that is sent the field is the application's, for whatever it likes.
static inline bool epb_has_hash(const struct rte_mbuf *packet, bool is_received) {
  return is_received && (packet->ol_flags & RTE_MBUF_F_RX_RSS_HASH) != 0;
}

// A received packet: whether the NIC has found its transport checksum right. One that is sent: what is left to the NIC.
// Whoever cuts a packet into segments makes the checksums of each.
static inline uint32_t epb_offload_flags(const struct rte_mbuf *packet, bool is_received) {
  const uint64_t flags = packet->ol_flags & epb_mbuf_flags(is_received);
  if (flags == 0) return 0;
  if (is_received) return flags == RTE_MBUF_F_RX_L4_CKSUM_GOOD ? EPB_CHECKSUM_VALID : 0;
  const bool is_cut = (flags & (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG)) != 0;
  return EPB_CHECKSUM_NOT_READY | (is_cut ? EPB_TO_BE_SEGMENTED : 0);
}
