// The outer headers of a tunnel's packets, and the recognition of such packets. Pure functions. Any thread.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "tunnel/tunnel.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DPCAP_OUTER_MOST_IP = 40 };

// Who sends to whom. An IPv4 address is the first four bytes.
struct dpcap_outer {
  bool is_ipv6;
  uint8_t source[16];
  uint8_t destination[16];
  uint8_t ttl;
  uint8_t traffic_class;  // DSCP << 2
};

// Bytes of the IP header.
uint32_t dpcap_outer_ip_size(const struct dpcap_outer* outer);

// Writes an IP header in front of `payload` bytes of this protocol, for who sends without the kernel. The packet must
// not be fragmented, which makes its identification needless (RFC 6864).
void dpcap_outer_write_ip(const struct dpcap_outer* outer, uint8_t protocol, uint32_t payload, uint8_t* out);

// The checksum of a UDP datagram of `size` bytes, its header included, whose field for it is zero. It is never zero
// itself.
uint16_t dpcap_outer_udp_checksum(const struct dpcap_outer* outer, const uint8_t* datagram, uint32_t size);

// Whether a frame is a packet of this tunnel: of its kind and id, from and to its addresses. One that was cut before
// its id is taken for one: a tunnel that carries its own packets fills itself up.
bool dpcap_tunnel_is_own(const struct dpcap_tunnel* tunnel, const struct dpcap_outer* outer, const uint8_t* frame,
                         uint32_t size);

#ifdef __cplusplus
}
#endif
