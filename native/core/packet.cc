#include "core/packet.h"

#include <rte_ether.h>

#include <algorithm>
#include <cstring>

namespace dpcap {
namespace {

// What rte_pcapng_copy puts in front of the packet (lib/pcapng, 21.11 to 26.07): an enhanced packet block's head.
struct StampedHead {
  uint32_t block_type;
  uint32_t block_length;
  uint32_t interface;
  uint32_t timestamp_high;
  uint32_t timestamp_low;
  uint32_t caplen;
  uint32_t len;
};
static_assert(sizeof(StampedHead) == 28);

constexpr uint32_t kMacBytes = 2 * RTE_ETHER_ADDR_LEN;
constexpr uint32_t kTagBytes = 4;

struct Tags {
  bool outer;
  bool inner;
  uint32_t count() const { return outer + inner; }
};

// Tags that are not in the data: stripped on receive, or to be inserted by the NIC on transmit.
Tags missing_tags(const rte_mbuf* mbuf, Direction direction) {
  const uint64_t flags = mbuf->ol_flags;
  if (direction == Direction::rx) {
    return {(flags & RTE_MBUF_F_RX_QINQ_STRIPPED) != 0, (flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0};
  }
  return {(flags & RTE_MBUF_F_TX_QINQ) != 0, (flags & RTE_MBUF_F_TX_VLAN) != 0};
}

void put_tag(uint8_t* out, uint16_t tpid, uint16_t tci) {
  out[0] = static_cast<uint8_t>(tpid >> 8);
  out[1] = static_cast<uint8_t>(tpid);
  out[2] = static_cast<uint8_t>(tci >> 8);
  out[3] = static_cast<uint8_t>(tci);
}

// Copies `size` bytes at `offset` of the chain; the caller has checked that they are there.
void copy_bytes(const rte_mbuf* mbuf, uint32_t offset, uint32_t size, uint8_t* out) {
  while (mbuf != nullptr && offset >= mbuf->data_len) {
    offset -= mbuf->data_len;
    mbuf = mbuf->next;
  }
  while (mbuf != nullptr && size > 0) {
    const uint32_t part = std::min<uint32_t>(size, mbuf->data_len - offset);
    memcpy(out, rte_pktmbuf_mtod_offset(mbuf, const uint8_t*, offset), part);
    out += part;
    size -= part;
    offset = 0;
    mbuf = mbuf->next;
  }
}

}  // namespace

uint64_t stamp_of(const rte_mbuf* mbuf) {
  const auto* head = rte_pktmbuf_mtod(mbuf, const StampedHead*);
  return static_cast<uint64_t>(head->timestamp_high) << 32 | head->timestamp_low;
}

Packet read_packet(const rte_mbuf* mbuf, CopyMode mode, Direction direction, uint32_t snaplen) {
  const Tags tags = missing_tags(mbuf, direction);
  Packet packet{mbuf, 0, mbuf->pkt_len, mbuf->pkt_len, 0, {}};
  if (mode == CopyMode::stamped) {
    const auto* head = rte_pktmbuf_mtod(mbuf, const StampedHead*);
    packet.offset = sizeof(StampedHead);
    packet.caplen = std::min<uint32_t>(head->caplen, mbuf->pkt_len - sizeof(StampedHead));
    // rte_pcapng_copy puts missing tags back, but takes the original length before it does.
    packet.len = head->len + tags.count() * kTagBytes;
  } else if (tags.count() != 0 && packet.caplen >= kMacBytes) {
    if (tags.outer) put_tag(packet.tags + kTagBytes * packet.tag_count++, RTE_ETHER_TYPE_QINQ, mbuf->vlan_tci_outer);
    if (tags.inner) put_tag(packet.tags + kTagBytes * packet.tag_count++, RTE_ETHER_TYPE_VLAN, mbuf->vlan_tci);
    packet.caplen += packet.tag_count * kTagBytes;
    packet.len += packet.tag_count * kTagBytes;
  }
  packet.caplen = std::min({packet.caplen, packet.len, snaplen});
  return packet;
}

void copy_packet(const Packet& packet, uint8_t* out) {
  const uint32_t inserted = packet.tag_count * kTagBytes;
  if (inserted == 0) return copy_bytes(packet.mbuf, packet.offset, packet.caplen, out);

  const uint32_t macs = std::min(packet.caplen, kMacBytes);
  copy_bytes(packet.mbuf, packet.offset, macs, out);
  const uint32_t tags = std::min(packet.caplen - macs, inserted);
  memcpy(out + macs, packet.tags, tags);
  copy_bytes(packet.mbuf, packet.offset + macs, packet.caplen - macs - tags, out + macs + tags);
}

}  // namespace dpcap
