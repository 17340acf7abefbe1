#include "core/packet.h"

#include <rte_ether.h>

#include <algorithm>
#include <cstring>

namespace dpcap {
namespace {

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

Packet with_tags(Packet packet, CopyMode mode, Direction direction) {
  const rte_mbuf* mbuf = packet.mbuf;
  const Tags tags = missing_tags(mbuf, direction);
  if (mode == CopyMode::stamped) {
    // rte_pcapng_copy puts missing tags back, but takes the original length before it does.
    packet.len += tags.count() * kTagBytes;
  } else if (packet.caplen >= kMacBytes) {
    if (tags.outer) put_tag(packet.tags + kTagBytes * packet.tag_count++, RTE_ETHER_TYPE_QINQ, mbuf->vlan_tci_outer);
    if (tags.inner) put_tag(packet.tags + kTagBytes * packet.tag_count++, RTE_ETHER_TYPE_VLAN, mbuf->vlan_tci);
    packet.caplen += packet.tag_count * kTagBytes;
    packet.len += packet.tag_count * kTagBytes;
  }
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
