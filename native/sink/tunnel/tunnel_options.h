// What a tunnel sink is told. Any thread.
#pragma once
#include <cstdint>

#include "tunnel/tunnel.h"

namespace dpcap {

struct TunnelOptions {
  dpcap_tunnel tunnel;
  uint32_t mtu;       // most bytes of an outer packet, its IP header included
  uint32_t max_rate;  // packets a second, 0 for no limit
};

}  // namespace dpcap
