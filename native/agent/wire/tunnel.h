// What is said about mirrors into tunnels between the agent inside an application and those outside; protocol.h has the
// frame, and mirror.h what all mirrors have in common. Such a mirror sends its copies to a collector on another host,
// out of a port of the application's, with the outer headers in front of them. Numbers are little-endian; addresses are
// in network order.
#pragma once

#include "agent/mirror.h"

#define DPCAP_MIRROR_LEAST_MTU 576u

enum dpcap_mirror_tunnel_kind {
  DPCAP_MIRROR_ERSPAN_II = 1,
  DPCAP_MIRROR_ERSPAN_III = 2,
  DPCAP_MIRROR_GRETAP = 3,
  DPCAP_MIRROR_VXLAN = 4,
};

enum dpcap_mirror_tunnel_flag {
  DPCAP_MIRROR_IPV6 = 1,            // else IPv4, whose addresses are the first four bytes
  DPCAP_MIRROR_SHORT_TIME = 2,      // ERSPAN III: 32 bits of time, without the subheader
  DPCAP_MIRROR_NEXT_HOP_GIVEN = 4,  // next_hop is the MAC address to send to; else the neighbour's is learnt
};

struct dpcap_mirror_tunnel {
  uint32_t kind;       // enum dpcap_mirror_tunnel_kind
  uint32_t id;         // ERSPAN: session; VXLAN: VNI; GRETAP: key
  uint32_t flags;      // enum dpcap_mirror_tunnel_flag
  uint32_t most_rate;  // packets a second, 0 for no limit
  uint16_t udp_port;   // VXLAN: where the collector listens
  uint16_t mtu;        // most bytes of a packet, its IP header included: longer frames are cut
  uint8_t ttl;
  uint8_t traffic_class;  // DSCP << 2
  uint8_t hardware_id;    // ERSPAN III: 6 bits
  uint8_t reserved1;
  uint8_t next_hop[6];  // in a report: zeros until it was learnt
  uint8_t reserved2[2];
  uint8_t source[16];
  uint8_t destination[16];
  uint8_t neighbour[16];  // whose MAC address is the next hop's: the collector, or a router on the way
};

// Of DPCAP_AGENT_MIRROR_SET_TUNNEL. Its target is the port that the packets leave by, which may be the source. Behind
// it: programs and text, as behind a dpcap_mirror_order.
struct dpcap_mirror_tunnel_order {
  struct dpcap_mirror_order mirror;
  struct dpcap_mirror_tunnel tunnel;
};

// Packets that were selected and not copied, besides those of dpcap_mirror_counters: matched is the sum of sent,
// refused, nombuf, contended, limited and unresolved.
struct dpcap_mirror_tunnel_counters {
  uint64_t limited;     // above most_rate
  uint64_t unresolved;  // the next hop's MAC address is not known yet
  uint64_t own;         // packets of a tunnel of this process, which no tunnel carries; not in matched
};

// A mirror of either kind.
struct dpcap_mirror_report {
  struct dpcap_mirror_status mirror;
  struct dpcap_mirror_tunnel tunnel;  // zeros, where the copies go to a port
  struct dpcap_mirror_tunnel_counters counters;
};
