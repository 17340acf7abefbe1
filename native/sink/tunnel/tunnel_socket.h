// Opens the socket that a tunnel's packets are sent by, and asks it about its ends and its path. Any thread.
//
// It is a raw one, whose packets the kernel puts an IP header in front of: what is behind that header, a UDP header
// included, is the sink's. GRE has no other sockets; and one of UDP has one source port, while that of VXLAN is a
// different one for each flow.
#pragma once
#include <cstdint>
#include <string>

#include "tunnel/outer.h"

namespace dpcap {

struct TunnelEnds {
  std::string destination;  // addresses as text
  std::string source;       // empty: the one that the route has
  dpcap_tunnel_kind kind;
  uint32_t mtu;  // most bytes of a packet; 0: what the route allows, kUsualMtu at most
  uint8_t ttl;
  uint8_t dscp;
};

struct TunnelSocket {
  int fd;
  std::string source;
  uint32_t mtu;
};

constexpr uint32_t kUsualMtu = 1500;

// Nothing comes in by it but what the network says of packets that were sent. Throws ERR_SINK_OPEN, whose subject is
// the address that is the obstacle: EINVAL for one that is none, EADDRNOTAVAIL for a source that is not this host's,
// ENETUNREACH and the like without a route, EMSGSIZE for a route that does not take packets of that size, EPERM.
TunnelSocket open_tunnel_socket(const TunnelEnds& ends);

// The ends of such a socket.
dpcap_outer outer_of(int fd);
// The most bytes of a packet that the path takes, as far as is known now; 0 when that cannot be told.
uint32_t path_mtu(int fd);
// What the network has said of packets that were sent since it was last asked: how many did not arrive, as far as it
// says, and the errno of the last one, or 0.
struct NetworkErrors {
  uint32_t packets;
  int last;
};
NetworkErrors take_errors(int fd);

}  // namespace dpcap
