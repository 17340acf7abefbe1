// The bytes that stand between the outer IP header and a mirrored frame, in a tunnel to a collector. Pure functions
// without allocation, for the engine and for applications. Any thread.
//
// ERSPAN: draft-foschiano-erspan-03. GRE: RFC 2784 and 2890. VXLAN: RFC 7348.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dpcap_tunnel_kind { DPCAP_ERSPAN_II, DPCAP_ERSPAN_III, DPCAP_GRETAP, DPCAP_VXLAN };

// The greatest ids: a collector tells captures apart by them.
enum { DPCAP_ERSPAN_MOST_ID = 0x3ff, DPCAP_VXLAN_MOST_ID = 0xffffff };
enum { DPCAP_TUNNEL_MOST_HEAD = 28 };  // bytes: GRE with a sequence number, ERSPAN III, its subheader

// What is the same for all packets of a tunnel.
struct dpcap_tunnel {
  enum dpcap_tunnel_kind kind;
  uint32_t id;          // ERSPAN: session; VXLAN: VNI; GRETAP: key
  uint16_t udp_port;    // VXLAN: where the collector listens
  uint8_t hardware_id;  // ERSPAN III: 6 bits
  bool has_short_time;  // ERSPAN III: 32 bits of time, without the subheader, which Linux takes for part of the frame
};

// A frame that is sent, as far as it is not in the frame itself.
struct dpcap_tunnelled {
  uint32_t size;      // bytes that are sent of it
  uint32_t sequence;  // of the packets of this tunnel
  uint64_t time_ns;   // since 1970
  uint16_t port;      // of the application
  bool is_outgoing;   // the application sent it
  bool is_cut;        // it was longer
};

// The protocol in the outer IP header.
uint8_t dpcap_tunnel_protocol(enum dpcap_tunnel_kind kind);

// Bytes between the outer IP header and the frame: DPCAP_TUNNEL_MOST_HEAD at most.
uint32_t dpcap_tunnel_head_size(const struct dpcap_tunnel* tunnel);

// Writes them in front of a frame of `what->size` bytes. The UDP checksum is zero, which IPv4 allows, and IPv6 for
// tunnels whose collector agrees (RFC 6935): otherwise it is the caller's.
void dpcap_tunnel_write_head(const struct dpcap_tunnel* tunnel, const struct dpcap_tunnelled* what,
                             const uint8_t* frame, uint8_t* out);

#ifdef __cplusplus
}
#endif
