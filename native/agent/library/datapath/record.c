#include "agent/library/datapath/record.h"

#include <rte_ether.h>
#include <string.h>

#include "mbuf/epb_flags.h"

#define MAC_BYTES (2u * RTE_ETHER_ADDR_LEN)
#define TAG_BYTES 4u
#define PCAP_HEAD_BYTES 16u
#define EPB_HEAD_BYTES 28u
#define EPB_TAIL_BYTES 24u  // flags, queue, end of options, length
#define EPB_HASH_BYTES 12u
#define EPB_HASH_TOEPLITZ 5u
#define NS_PER_SECOND UINT64_C(1000000000)
#define TAG_FLAGS (RTE_MBUF_F_RX_QINQ_STRIPPED | RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_TX_QINQ | RTE_MBUF_F_TX_VLAN)

struct tags {
  bool outer;
  bool inner;
};

// The tags that are not in the data: the NIC took them off, or is to put them in. RTE_MBUF_F_TX_QINQ stands for both
// (rte_mbuf_core.h of 22.11 to 26.07); RTE_MBUF_F_RX_QINQ_STRIPPED says that the outer one was taken off.
static struct tags missing_tags(const struct record_kind *kind, const struct rte_mbuf *packet) {
  const uint64_t flags = packet->ol_flags;
  if (kind->direction == DPCAP_AGENT_RX)
    return (struct tags){(flags & RTE_MBUF_F_RX_QINQ_STRIPPED) != 0, (flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0};
  return (struct tags){(flags & RTE_MBUF_F_TX_QINQ) != 0, (flags & (RTE_MBUF_F_TX_QINQ | RTE_MBUF_F_TX_VLAN)) != 0};
}

static uint32_t tag_bytes(const struct record_kind *kind, const struct rte_mbuf *packet) {
  if ((packet->ol_flags & TAG_FLAGS) == 0 || packet->pkt_len < MAC_BYTES) return 0;
  const struct tags tags = missing_tags(kind, packet);
  return TAG_BYTES * ((uint32_t)tags.outer + (uint32_t)tags.inner);
}

static uint32_t padded(uint32_t size) { return (size + 3) & ~3u; }

struct record_time record_time(const struct record_kind *kind, uint64_t wall_ns) {
  if (kind->format == DPCAP_AGENT_PCAP) {
    const uint32_t fraction = (uint32_t)(wall_ns % NS_PER_SECOND);
    return (struct record_time){(uint32_t)(wall_ns / NS_PER_SECOND), kind->nanoseconds ? fraction : fraction / 1000};
  }
  const uint64_t units = kind->nanoseconds ? wall_ns : wall_ns / 1000;
  return (struct record_time){(uint32_t)(units >> 32), (uint32_t)units};
}

uint32_t record_caplen(const struct record_kind *kind, const struct rte_mbuf *packet) {
  const uint32_t len = packet->pkt_len + tag_bytes(kind, packet);
  return len < kind->snaplen ? len : kind->snaplen;
}

// Of a packet that is sent the field is the application's, for whatever it likes.
static bool has_hash(const struct record_kind *kind, const struct rte_mbuf *packet) {
  return kind->direction == DPCAP_AGENT_RX && (packet->ol_flags & RTE_MBUF_F_RX_RSS_HASH) != 0;
}

uint32_t record_bytes(const struct record_kind *kind, const struct rte_mbuf *packet, uint32_t caplen) {
  if (kind->format == DPCAP_AGENT_PCAP) return PCAP_HEAD_BYTES + caplen;
  return EPB_HEAD_BYTES + padded(caplen) + (has_hash(kind, packet) ? EPB_HASH_BYTES : 0) + EPB_TAIL_BYTES;
}

static uint32_t write_hash(const struct rte_mbuf *packet, uint8_t *out) {
  enum { HASH = 3 | 5 << 16 };
  const uint32_t head = HASH, hash = packet->hash.rss;
  const uint8_t value[8] = {EPB_HASH_TOEPLITZ, (uint8_t)(hash >> 24), (uint8_t)(hash >> 16), (uint8_t)(hash >> 8),
                            (uint8_t)hash};
  memcpy(out, &head, sizeof head);
  memcpy(out + sizeof head, value, sizeof value);
  return EPB_HASH_BYTES;
}

// Copies `size` bytes at `offset` of the chain. What a broken chain does not have is zero.
static void copy_bytes(const struct rte_mbuf *packet, uint32_t offset, uint32_t size, uint8_t *out) {
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

static uint32_t write_tag(uint8_t *out, uint16_t type, uint16_t tci) {
  const uint8_t tag[TAG_BYTES] = {(uint8_t)(type >> 8), (uint8_t)type, (uint8_t)(tci >> 8), (uint8_t)tci};
  memcpy(out, tag, sizeof tag);
  return sizeof tag;
}

static void copy_tagged(const struct record_kind *kind, const struct rte_mbuf *packet, uint32_t caplen, uint8_t *out) {
  const struct tags tags = missing_tags(kind, packet);
  uint8_t both[2 * TAG_BYTES];
  uint32_t size = 0;
  if (tags.outer) size += write_tag(both, RTE_ETHER_TYPE_QINQ, packet->vlan_tci_outer);
  if (tags.inner) size += write_tag(both + size, RTE_ETHER_TYPE_VLAN, packet->vlan_tci);
  const uint32_t front = caplen < MAC_BYTES ? caplen : MAC_BYTES;
  const uint32_t middle = caplen - front < size ? caplen - front : size;
  copy_bytes(packet, 0, front, out);
  memcpy(out + front, both, middle);
  copy_bytes(packet, front, caplen - front - middle, out + front + middle);
}

static void copy_packet(const struct record_kind *kind, const struct rte_mbuf *packet, uint32_t caplen, uint8_t *out) {
  if (tag_bytes(kind, packet) != 0) {
    copy_tagged(kind, packet, caplen, out);
  } else if (caplen <= packet->data_len) {
    memcpy(out, rte_pktmbuf_mtod(packet, const uint8_t *), caplen);
  } else {
    copy_bytes(packet, 0, caplen, out);
  }
}

static void write_block(const struct record_kind *kind, struct record_time time, const struct rte_mbuf *packet,
                        uint32_t caplen, uint8_t *out) {
  enum { PACKET_BLOCK = 6, FLAGS = 2 | 4 << 16, QUEUE = 6 | 4 << 16 };
  const uint32_t bytes = record_bytes(kind, packet, caplen);
  const uint32_t flags = kind->direction | epb_offload_flags(packet, kind->direction == DPCAP_AGENT_RX);
  const uint32_t len = packet->pkt_len + tag_bytes(kind, packet);
  const uint32_t head[7] = {PACKET_BLOCK, bytes, kind->interface, time.first, time.second, caplen, len};
  const uint32_t tail[6] = {FLAGS, flags, QUEUE, kind->queue, 0, bytes};
  memcpy(out, head, sizeof head);
  copy_packet(kind, packet, caplen, out + EPB_HEAD_BYTES);
  memset(out + EPB_HEAD_BYTES + caplen, 0, padded(caplen) - caplen);
  out += EPB_HEAD_BYTES + padded(caplen);
  if (has_hash(kind, packet)) out += write_hash(packet, out);
  memcpy(out, tail, sizeof tail);
}

void record_write(const struct record_kind *kind, struct record_time time, const struct rte_mbuf *packet,
                  uint32_t caplen, uint8_t *out) {
  if (kind->format == DPCAP_AGENT_PCAPNG) return write_block(kind, time, packet, caplen, out);
  const uint32_t len = packet->pkt_len + tag_bytes(kind, packet);
  const uint32_t head[4] = {time.first, time.second, caplen, len};
  memcpy(out, head, sizeof head);
  copy_packet(kind, packet, caplen, out + PCAP_HEAD_BYTES);
}
