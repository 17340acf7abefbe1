#include "tunnel/outer.h"

#include <string.h>

#include "tunnel/network_header.h"

enum { DO_NOT_FRAGMENT = 0x4000 };

uint32_t dpcap_outer_ip_size(const struct dpcap_outer* outer) {
  return outer->is_ipv6 ? DPCAP_IPV6_HEAD : DPCAP_IPV4_HEAD;
}

// The sum of 16-bit words, the last of which may lack a byte.
static uint32_t sum_of(const uint8_t* bytes, uint32_t size) {
  uint32_t sum = (size & 1) != 0 ? (uint32_t)bytes[size - 1] << 8 : 0;
  for (uint32_t at = 0; at + 1 < size; at += 2) sum += dpcap_get16(bytes + at);
  return sum;
}

static uint16_t checksum_of(uint32_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

static void write_ipv4(const struct dpcap_outer* outer, uint8_t protocol, uint32_t payload, uint8_t* out) {
  out[0] = 0x45;
  out[1] = outer->traffic_class;
  dpcap_put16(out + 2, DPCAP_IPV4_HEAD + payload);
  dpcap_put16(out + 4, 0);
  dpcap_put16(out + 6, DO_NOT_FRAGMENT);
  out[8] = outer->ttl;
  out[9] = protocol;
  dpcap_put16(out + 10, 0);
  memcpy(out + 12, outer->source, 4);
  memcpy(out + 16, outer->destination, 4);
  dpcap_put16(out + 10, checksum_of(sum_of(out, DPCAP_IPV4_HEAD)));
}

void dpcap_outer_write_ip(const struct dpcap_outer* outer, uint8_t protocol, uint32_t payload, uint8_t* out) {
  if (!outer->is_ipv6) {
    write_ipv4(outer, protocol, payload, out);
    return;
  }
  dpcap_put32(out, 6u << 28 | (uint32_t)outer->traffic_class << 20);
  dpcap_put16(out + 4, payload);
  out[6] = protocol;
  out[7] = outer->ttl;
  memcpy(out + 8, outer->source, 16);
  memcpy(out + 24, outer->destination, 16);
}

// Over the pseudo header as well (RFC 768, RFC 8200 section 8.1), in which the length may have 16 bits: it is no
// longer.
uint16_t dpcap_outer_udp_checksum(const struct dpcap_outer* outer, const uint8_t* datagram, uint32_t size) {
  const uint32_t address = outer->is_ipv6 ? 16 : 4;
  const uint32_t ends = sum_of(outer->source, address) + sum_of(outer->destination, address);
  const uint16_t checksum = checksum_of(ends + DPCAP_IP_UDP + size + sum_of(datagram, size));
  return checksum == 0 ? 0xffff : checksum;
}

// Returns where the outer IP header of a packet between the two ends, with this protocol, ends; 0 for another packet.
static uint32_t behind_own_ip(const struct dpcap_outer* outer, uint8_t protocol, const uint8_t* frame, uint32_t size) {
  const struct dpcap_network_header network = dpcap_network_header(frame, size);
  const uint8_t* const ip = frame + network.at;
  const uint32_t head = dpcap_outer_ip_size(outer);
  if (network.type != (outer->is_ipv6 ? DPCAP_ETHER_IPV6 : DPCAP_ETHER_IPV4) || network.at + head > size) return 0;
  const uint32_t addresses = outer->is_ipv6 ? 8 : 12, bytes = outer->is_ipv6 ? 16 : 4;
  if (ip[outer->is_ipv6 ? 6 : 9] != protocol) return 0;
  if (memcmp(ip + addresses, outer->source, bytes) != 0) return 0;
  if (memcmp(ip + addresses + bytes, outer->destination, bytes) != 0) return 0;
  return network.at + (outer->is_ipv6 ? head : (ip[0] & 0xfu) * 4);
}

static bool is_own_gre(const struct dpcap_tunnel* tunnel, const uint8_t* gre, uint32_t size) {
  const bool is_gretap = tunnel->kind == DPCAP_GRETAP;
  const uint16_t flags = is_gretap ? DPCAP_GRE_KEY | DPCAP_GRE_SEQUENCE : DPCAP_GRE_SEQUENCE;
  const uint16_t type = is_gretap                          ? DPCAP_GRE_ETHERNET
                        : tunnel->kind == DPCAP_ERSPAN_III ? DPCAP_GRE_ERSPAN_III
                                                           : DPCAP_GRE_ERSPAN_II;
  if (size < DPCAP_GRE_HEAD) return true;
  if (dpcap_get16(gre) != flags || dpcap_get16(gre + 2) != type) return false;
  if (is_gretap) return size < 8 || dpcap_get32(gre + 4) == tunnel->id;
  return size < 12 || (dpcap_get16(gre + 10) & DPCAP_ERSPAN_MOST_ID) == tunnel->id;
}

static bool is_own_vxlan(const struct dpcap_tunnel* tunnel, const uint8_t* udp, uint32_t size) {
  if (size >= 4 && dpcap_get16(udp + 2) != tunnel->udp_port) return false;
  if (size < DPCAP_UDP_HEAD + DPCAP_VXLAN_HEAD) return true;
  return udp[DPCAP_UDP_HEAD] == DPCAP_VXLAN_HAS_VNI && dpcap_get32(udp + DPCAP_UDP_HEAD + 4) >> 8 == tunnel->id;
}

bool dpcap_tunnel_is_own(const struct dpcap_tunnel* tunnel, const struct dpcap_outer* outer, const uint8_t* frame,
                         uint32_t size) {
  const uint32_t at = behind_own_ip(outer, dpcap_tunnel_protocol(tunnel->kind), frame, size);
  if (at == 0) return false;
  const uint32_t left = at < size ? size - at : 0;
  return tunnel->kind == DPCAP_VXLAN ? is_own_vxlan(tunnel, frame + at, left) : is_own_gre(tunnel, frame + at, left);
}
