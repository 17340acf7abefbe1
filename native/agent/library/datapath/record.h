// Writes packets as records of a file. Threads of the application, in a callback.
#pragma once
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/protocol.h"

// What all records of a lane have in common.
struct record_kind {
  uint32_t format;  // enum dpcap_agent_format
  bool nanoseconds;
  uint32_t snaplen;
  uint32_t direction;  // enum dpcap_agent_direction, which has pcapng's numbers
  uint32_t queue;
  uint32_t interface;
};

// The time of a burst, as its records have it.
struct record_time {
  uint32_t first;  // pcap: seconds; pcapng: the upper half
  uint32_t second;
};

struct record_time record_time(const struct record_kind *kind, uint64_t wall_ns);
// Bytes of packet that are to be recorded, with the VLAN tags that are not in the data.
uint32_t record_caplen(const struct record_kind *kind, const struct rte_mbuf *packet);
// Bytes of the record of a packet of which so many bytes are recorded. A pcapng record has the NIC's hash, if there is
// one.
uint32_t record_bytes(const struct record_kind *kind, const struct rte_mbuf *packet, uint32_t caplen);
// Writes that record.
void record_write(const struct record_kind *kind, struct record_time time, const struct rte_mbuf *packet,
                  uint32_t caplen, uint8_t *out);
