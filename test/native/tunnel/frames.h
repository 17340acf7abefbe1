// Frames that go through tunnels, and tunnels that they go through.
#pragma once
#include <cstdint>
#include <cstring>
#include <vector>

#include "tunnel/big_endian.h"
#include "tunnel/outer.h"

using Bytes = std::vector<uint8_t>;

inline dpcap_outer ipv4_ends() { return {false, {192, 0, 2, 1}, {192, 0, 2, 9}, 64, 46 << 2}; }

inline dpcap_outer ipv6_ends() {
  dpcap_outer outer{true, {0x20, 0x01, 0x0d, 0xb8}, {0x20, 0x01, 0x0d, 0xb8}, 64, 0};
  outer.source[15] = 1;
  outer.destination[15] = 9;
  return outer;
}

// A UDP packet from 10.0.0.`from` to 10.0.0.`to`, with `tag` as its VLAN tag unless that is 0.
inline Bytes udp_frame(uint8_t from, uint8_t to, uint16_t source_port, uint16_t port, size_t payload = 18,
                       uint16_t tag = 0) {
  const size_t ip = tag == 0 ? 14 : 18;
  Bytes frame(ip + 28 + payload);
  frame[5] = to;
  frame[11] = from;
  dpcap_put16(&frame[ip - 2], 0x0800);
  if (tag != 0) {
    dpcap_put16(&frame[12], 0x8100);
    dpcap_put16(&frame[14], tag);
  }
  frame[ip] = 0x45;
  dpcap_put16(&frame[ip + 2], static_cast<uint32_t>(28 + payload));
  frame[ip + 8] = 64;
  frame[ip + 9] = 17;
  const uint8_t ends[] = {10, 0, 0, from, 10, 0, 0, to};
  memcpy(&frame[ip + 12], ends, sizeof ends);
  dpcap_put16(&frame[ip + 20], source_port);
  dpcap_put16(&frame[ip + 22], port);
  dpcap_put16(&frame[ip + 24], static_cast<uint32_t>(8 + payload));
  return frame;
}

// The whole outer packet, behind an Ethernet header.
inline Bytes tunnel_packet(const dpcap_tunnel& tunnel, const dpcap_outer& outer, const Bytes& frame,
                           dpcap_tunnelled what) {
  const uint32_t head = dpcap_tunnel_head_size(&tunnel), ip = dpcap_outer_ip_size(&outer);
  Bytes packet(14 + ip + head + what.size);
  dpcap_put16(&packet[12], outer.is_ipv6 ? 0x86dd : 0x0800);
  dpcap_outer_write_ip(&outer, dpcap_tunnel_protocol(tunnel.kind), head + what.size, &packet[14]);
  dpcap_tunnel_write_head(&tunnel, &what, frame.data(), &packet[14 + ip]);
  memcpy(&packet[14 + ip + head], frame.data(), what.size);
  return packet;
}

inline Bytes tunnel_packet(const dpcap_tunnel& tunnel, const dpcap_outer& outer, const Bytes& frame) {
  return tunnel_packet(tunnel, outer, frame, {static_cast<uint32_t>(frame.size()), 0, 0, 0, false, false});
}
