// What a copy in an mbuf says: the packet's bytes, its lengths, the tags that the NIC had taken off. Runs on the drain
// thread.
#pragma once
#include <rte_mbuf.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/direction.h"
#include "mbuf/copy_mode.h"

namespace dpcap {

struct Packet {
  const rte_mbuf* mbuf;
  uint32_t offset;  // of the packet's bytes in the mbuf chain
  uint32_t caplen;  // bytes to record, tags included
  uint32_t len;     // bytes on the wire, tags included; of a plain copy, what the primary kept of them
  uint32_t tag_count;
  uint32_t tags_at;  // where the tags are put in: behind the MAC addresses, or behind a tag that is in the data
  uint8_t tags[8];

  // The bytes to record lie one behind the other in the first mbuf.
  bool in_one_piece() const { return tag_count == 0 && offset + caplen <= mbuf->data_len; }
};

// The head of an enhanced packet block, which rte_pcapng_copy puts in front of the packet (lib/pcapng, 21.11 to 26.07).
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

// The timestamp field of a stamped copy: see StampClock.
inline uint64_t stamp_of(const rte_mbuf* mbuf) {
  const auto* head = rte_pktmbuf_mtod(mbuf, const StampedHead*);
  return static_cast<uint64_t>(head->timestamp_high) << 32 | head->timestamp_low;
}

// Adds the tags that are not in the data.
Packet with_tags(Packet packet, CopyMode mode, Direction direction);

// Checks the lengths against the mbuf: what is in shared memory is input.
inline Packet read_packet(const rte_mbuf* mbuf, CopyMode mode, Direction direction, uint32_t snaplen) {
  constexpr uint64_t kTagFlags =
      RTE_MBUF_F_RX_QINQ_STRIPPED | RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_TX_QINQ | RTE_MBUF_F_TX_VLAN;
  Packet packet{mbuf, 0, mbuf->pkt_len, mbuf->pkt_len, 0, 0, {}};
  if (mode == CopyMode::stamped) {
    const auto* head = rte_pktmbuf_mtod(mbuf, const StampedHead*);
    packet.offset = sizeof(StampedHead);
    packet.caplen = std::min(head->caplen, mbuf->pkt_len - std::min<uint32_t>(mbuf->pkt_len, sizeof(StampedHead)));
    packet.len = head->len;
  }
  if ((mbuf->ol_flags & kTagFlags) != 0) packet = with_tags(packet, mode, direction);
  packet.caplen = std::min({packet.caplen, packet.len, snaplen});
  return packet;
}

// Copies `packet.caplen` bytes to `out`.
void copy_packet(const Packet& packet, uint8_t* out);

// Returns an mbuf whose data are the packet's bytes, tags included, laid out in `bytes`; for looking at a packet that
// is not in one piece. It holds at most 65535 bytes, and is valid as long as `bytes` is.
rte_mbuf lay_flat(const Packet& packet, std::vector<uint8_t>& bytes);

}  // namespace dpcap
