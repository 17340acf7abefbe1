#include "mbuf/mbuf_packet.h"

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

// Returns the tags that are not in the data: the NIC stripped them on receive, or is to insert them on transmit.
// RTE_MBUF_F_TX_QINQ stands for both tags (rte_mbuf_core.h of 22.11 to 26.07: "Double VLAN insertion"; i40e, ice and
// hns3 insert two for it alone); RTE_MBUF_F_RX_QINQ_STRIPPED alone says that only the outer tag was taken off.
Tags missing_tags(const rte_mbuf* mbuf, Direction direction) {
  const uint64_t flags = mbuf->ol_flags;
  if (direction == Direction::rx) {
    return {(flags & RTE_MBUF_F_RX_QINQ_STRIPPED) != 0, (flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0};
  }
  return {(flags & RTE_MBUF_F_TX_QINQ) != 0, (flags & (RTE_MBUF_F_TX_QINQ | RTE_MBUF_F_TX_VLAN)) != 0};
}

// rte_pcapng_copy (21.11 to 26.07) puts in one tag for each flag: for RTE_MBUF_F_TX_QINQ alone, only the outer one.
bool stamp_lacks_inner(const rte_mbuf* mbuf, Direction direction) {
  const uint64_t flags = mbuf->ol_flags & (RTE_MBUF_F_TX_QINQ | RTE_MBUF_F_TX_VLAN);
  return direction == Direction::tx && flags == RTE_MBUF_F_TX_QINQ;
}

void add_tag(Packet& packet, uint16_t tpid, uint16_t tci) {
  uint8_t* out = packet.tags + kTagBytes * packet.tag_count++;
  packet.caplen += kTagBytes;
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
  // rte_pcapng_copy, too, takes the original length before it puts tags in.
  packet.len += tags.count() * kTagBytes;
  if (mode == CopyMode::stamped) {
    packet.tags_at = kMacBytes + kTagBytes;
    if (stamp_lacks_inner(mbuf, direction) && packet.caplen >= packet.tags_at)
      add_tag(packet, RTE_ETHER_TYPE_VLAN, mbuf->vlan_tci);
    return packet;
  }
  packet.tags_at = kMacBytes;
  if (packet.caplen < packet.tags_at) return packet;
  if (tags.outer) add_tag(packet, RTE_ETHER_TYPE_QINQ, mbuf->vlan_tci_outer);
  if (tags.inner) add_tag(packet, RTE_ETHER_TYPE_VLAN, mbuf->vlan_tci);
  return packet;
}

void copy_packet(const Packet& packet, uint8_t* out) {
  const uint32_t inserted = packet.tag_count * kTagBytes;
  if (inserted == 0) return copy_bytes(packet.mbuf, packet.offset, packet.caplen, out);

  const uint32_t front = std::min(packet.caplen, packet.tags_at);
  copy_bytes(packet.mbuf, packet.offset, front, out);
  const uint32_t tags = std::min(packet.caplen - front, inserted);
  memcpy(out + front, packet.tags, tags);
  copy_bytes(packet.mbuf, packet.offset + front, packet.caplen - front - tags, out + front + tags);
}

rte_mbuf lay_flat(const Packet& packet, std::vector<uint8_t>& bytes) {
  bytes.resize(packet.caplen);
  copy_packet(packet, bytes.data());
  rte_mbuf flat;
  memset(static_cast<void*>(&flat), 0, sizeof flat);
  flat.buf_addr = bytes.data();
  flat.data_len = flat.buf_len = static_cast<uint16_t>(std::min<uint32_t>(packet.caplen, UINT16_MAX));
  flat.pkt_len = flat.data_len;
  flat.nb_segs = 1;
  return flat;
}

}  // namespace dpcap
