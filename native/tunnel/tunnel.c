#include "tunnel/tunnel.h"

#include "tunnel/big_endian.h"
#include "tunnel/flow_hash.h"
#include "tunnel/wire.h"

enum { ERSPAN_II_HEAD = 8, ERSPAN_III_HEAD = 12, ERSPAN_SUBHEADER = 8 };
enum { ENCAPSULATION_UNTAGGED = 0, ENCAPSULATION_IN_FRAME = 3 };  // where the frame's VLAN tag is
enum { GRANULARITY_100_US = 0, GRANULARITY_SECONDS_AND_NS = 2 };  // the latter: IEEE 1588's
enum { PLATFORM_PORT_AND_TIME = 3 };
enum { FIRST_PORT = 49152, PORTS = 65536 - FIRST_PORT };  // RFC 7348, section 5: the source ports of VXLAN

uint8_t dpcap_tunnel_protocol(enum dpcap_tunnel_kind kind) { return kind == DPCAP_VXLAN ? DPCAP_IP_UDP : DPCAP_IP_GRE; }

static uint32_t erspan_iii_size(const struct dpcap_tunnel* tunnel) {
  return ERSPAN_III_HEAD + (tunnel->has_short_time ? 0 : ERSPAN_SUBHEADER);
}

uint32_t dpcap_tunnel_head_size(const struct dpcap_tunnel* tunnel) {
  switch (tunnel->kind) {
    case DPCAP_ERSPAN_II:
      return DPCAP_GRE_HEAD + DPCAP_GRE_OPTION + ERSPAN_II_HEAD;
    case DPCAP_ERSPAN_III:
      return DPCAP_GRE_HEAD + DPCAP_GRE_OPTION + erspan_iii_size(tunnel);
    case DPCAP_GRETAP:
      return DPCAP_GRE_HEAD + 2 * DPCAP_GRE_OPTION;
    case DPCAP_VXLAN:
      break;
  }
  return DPCAP_UDP_HEAD + DPCAP_VXLAN_HEAD;
}

// The first word of both ERSPAN headers. In III the two bits in front of `cut` say that the frame is a good one: 0.
static uint32_t erspan_session(uint32_t version, uint32_t encapsulation, const struct dpcap_tunnel* tunnel,
                               const struct dpcap_tunnelled* what, const uint8_t* frame) {
  const bool is_tagged =
      what->size >= DPCAP_ETHERNET_HEAD + DPCAP_VLAN_TAG && dpcap_get16(frame + 12) == DPCAP_ETHER_VLAN;
  const uint32_t tag = is_tagged ? dpcap_get16(frame + DPCAP_ETHERNET_HEAD) : 0;
  const uint32_t vlan = tag & 0xfff, priority = tag >> 13;
  return version << 28 | vlan << 16 | priority << 13 | (is_tagged ? encapsulation : 0) << 11 |
         (uint32_t)what->is_cut << 10 | (tunnel->id & DPCAP_ERSPAN_MOST_ID);
}

static void write_erspan_ii(const struct dpcap_tunnel* tunnel, const struct dpcap_tunnelled* what, const uint8_t* frame,
                            uint8_t* out) {
  dpcap_put16(out, DPCAP_GRE_SEQUENCE);
  dpcap_put16(out + 2, DPCAP_GRE_ERSPAN_II);
  dpcap_put32(out + 4, what->sequence);
  dpcap_put32(out + 8, erspan_session(1, ENCAPSULATION_IN_FRAME, tunnel, what, frame));
  dpcap_put32(out + 12, what->port);
}

// The time: seconds in the subheader and nanoseconds here, or tenths of milliseconds, which begin again after 5 days.
static void write_erspan_iii(const struct dpcap_tunnel* tunnel, const struct dpcap_tunnelled* what,
                             const uint8_t* frame, uint8_t* out) {
  enum { ETHERNET = 1 << 15, HARDWARE_ID_AT = 4, OUTGOING = 1 << 3, GRANULARITY_AT = 1, SUBHEADER = 1 };
  const uint64_t seconds = what->time_ns / 1000000000u;
  const bool is_short = tunnel->has_short_time;
  const uint32_t granularity = is_short ? GRANULARITY_100_US : GRANULARITY_SECONDS_AND_NS;
  dpcap_put16(out, DPCAP_GRE_SEQUENCE);
  dpcap_put16(out + 2, DPCAP_GRE_ERSPAN_III);
  dpcap_put32(out + 4, what->sequence);
  dpcap_put32(out + 8, erspan_session(2, ENCAPSULATION_UNTAGGED, tunnel, what, frame));
  dpcap_put32(out + 12, (uint32_t)(is_short ? what->time_ns / 100000 : what->time_ns % 1000000000u));
  dpcap_put16(out + 16, 0);  // security group
  dpcap_put16(out + 18, ETHERNET | (uint32_t)(tunnel->hardware_id & 0x3f) << HARDWARE_ID_AT |
                            (what->is_outgoing ? OUTGOING : 0) | granularity << GRANULARITY_AT |
                            (is_short ? 0 : SUBHEADER));
  if (is_short) return;
  dpcap_put32(out + 20, (uint32_t)PLATFORM_PORT_AND_TIME << 26 | (what->port & 0x3fff));
  dpcap_put32(out + 24, (uint32_t)seconds);
}

static void write_gretap(const struct dpcap_tunnel* tunnel, const struct dpcap_tunnelled* what, uint8_t* out) {
  dpcap_put16(out, DPCAP_GRE_KEY | DPCAP_GRE_SEQUENCE);
  dpcap_put16(out + 2, DPCAP_GRE_ETHERNET);
  dpcap_put32(out + 4, tunnel->id);
  dpcap_put32(out + 8, what->sequence);
}

// Both directions of a flow have one source port, so that they come to one queue of the collector.
static void write_vxlan(const struct dpcap_tunnel* tunnel, const struct dpcap_tunnelled* what, const uint8_t* frame,
                        uint8_t* out) {
  dpcap_put16(out, FIRST_PORT + dpcap_flow_hash(frame, what->size) % PORTS);
  dpcap_put16(out + 2, tunnel->udp_port);
  dpcap_put16(out + 4, DPCAP_UDP_HEAD + DPCAP_VXLAN_HEAD + what->size);
  dpcap_put16(out + 6, 0);
  dpcap_put32(out + 8, (uint32_t)DPCAP_VXLAN_HAS_VNI << 24);
  dpcap_put32(out + 12, tunnel->id << 8);
}

void dpcap_tunnel_write_head(const struct dpcap_tunnel* tunnel, const struct dpcap_tunnelled* what,
                             const uint8_t* frame, uint8_t* out) {
  switch (tunnel->kind) {
    case DPCAP_ERSPAN_II:
      write_erspan_ii(tunnel, what, frame, out);
      break;
    case DPCAP_ERSPAN_III:
      write_erspan_iii(tunnel, what, frame, out);
      break;
    case DPCAP_GRETAP:
      write_gretap(tunnel, what, out);
      break;
    case DPCAP_VXLAN:
      write_vxlan(tunnel, what, frame, out);
      break;
  }
}
