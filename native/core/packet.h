// What a copy in an mbuf says: the packet's bytes, its lengths, the tags the NIC had taken off.
#pragma once
#include <rte_mbuf.h>

#include <cstdint>

#include "core/pdump.h"

namespace dpcap {

struct Packet {
  const rte_mbuf* mbuf;
  uint32_t offset;  // of the packet's bytes in the mbuf chain
  uint32_t caplen;  // bytes to record, tags included
  uint32_t len;     // bytes on the wire, tags included
  uint32_t tag_count;
  uint8_t tags[8];  // put in behind the MAC addresses
};

// The timestamp field of a stamped copy: see StampClock.
uint64_t stamp_of(const rte_mbuf* mbuf);

// Lengths are checked against the mbuf: shared memory is input.
Packet read_packet(const rte_mbuf* mbuf, CopyMode mode, Direction direction, uint32_t snaplen);

// Copies `packet.caplen` bytes to `out`.
void copy_packet(const Packet& packet, uint8_t* out);

}  // namespace dpcap
