// Which frames are a tunnel's own, and which belong together.
#include "tap.h"
#include "tunnel/flow_hash.h"
#include "tunnel/frames.h"

namespace {

const dpcap_tunnel kTunnels[] = {
    {DPCAP_ERSPAN_II, 5, 0, 0, false}, {DPCAP_ERSPAN_III, 5, 0, 1, false}, {DPCAP_ERSPAN_III, 5, 0, 1, true},
    {DPCAP_GRETAP, 5, 0, 0, false},    {DPCAP_VXLAN, 5, 4789, 0, false},
};
const Bytes kFrame = udp_frame(1, 2, 1000, 53);

bool is_own(const dpcap_tunnel& tunnel, const dpcap_outer& outer, const Bytes& packet, size_t size = SIZE_MAX) {
  // What is read behind the end is seen by the address sanitizer.
  const Bytes cut(packet.begin(), packet.begin() + static_cast<long>(std::min(size, packet.size())));
  return dpcap_tunnel_is_own(&tunnel, &outer, cut.data(), static_cast<uint32_t>(cut.size()));
}

Bytes tagged(Bytes packet) {
  const uint8_t tag[] = {0x81, 0x00, 0x00, 0x0a};
  packet.insert(packet.begin() + 12, tag, tag + sizeof tag);
  return packet;
}

void own_packets() {
  for (const dpcap_tunnel& tunnel : kTunnels) {
    for (const dpcap_outer& outer : {ipv4_ends(), ipv6_ends()}) {
      const Bytes packet = tunnel_packet(tunnel, outer, kFrame);
      CHECK(is_own(tunnel, outer, packet) && is_own(tunnel, outer, tagged(packet)));
      CHECK(is_own(tunnel, outer, tagged(tagged(packet))));
    }
  }
}

void packets_of_others() {
  for (const dpcap_tunnel& tunnel : kTunnels) {
    const dpcap_outer outer = ipv4_ends();
    dpcap_outer back = outer;
    std::swap(back.source, back.destination);
    dpcap_tunnel other = tunnel;
    other.id = 6;
    CHECK(!is_own(tunnel, outer, tunnel_packet(tunnel, back, kFrame)));
    CHECK(!is_own(tunnel, outer, tunnel_packet(other, outer, kFrame)));
    CHECK(!is_own(tunnel, outer, tunnel_packet(tunnel, ipv6_ends(), kFrame)));
    CHECK(!is_own(tunnel, outer, kFrame));
    for (const dpcap_tunnel& another : kTunnels) {
      const bool is_same = another.kind == tunnel.kind;
      CHECK(is_own(tunnel, outer, tunnel_packet(another, outer, kFrame)) == is_same);
    }
  }
  const dpcap_tunnel elsewhere{DPCAP_VXLAN, 5, 8472, 0, false};
  CHECK(!is_own(elsewhere, ipv4_ends(), tunnel_packet(kTunnels[4], ipv4_ends(), kFrame)));
}

// A frame that ends before its addresses is not known for the tunnel's; one that ends before the id is taken for it.
void cut_packets() {
  for (const dpcap_tunnel& tunnel : kTunnels) {
    const Bytes packet = tunnel_packet(tunnel, ipv4_ends(), kFrame);
    for (size_t size = 0; size <= packet.size(); size++) {
      CHECK_ALL(is_own(tunnel, ipv4_ends(), packet, size) == (size >= 34));
    }
  }
}

uint32_t hash(const Bytes& frame) { return dpcap_flow_hash(frame.data(), static_cast<uint32_t>(frame.size())); }

void flows() {
  const uint32_t one = hash(udp_frame(1, 2, 1000, 53));
  CHECK(one == hash(udp_frame(2, 1, 53, 1000)));
  CHECK(one == hash(udp_frame(1, 2, 1000, 53, 700)) && one == hash(udp_frame(1, 2, 1000, 53, 18, 5)));
  CHECK(one != hash(udp_frame(1, 2, 1001, 53)) && one != hash(udp_frame(1, 3, 1000, 53)));
  Bytes first = udp_frame(1, 2, 1000, 53), second = udp_frame(1, 2, 7777, 7777);
  first[20] = 0x20;  // more fragments
  second[21] = 1;    // an offset
  CHECK(hash(first) == hash(second));
  Bytes arp(60);
  arp[5] = 1;
  arp[12] = 8;
  arp[13] = 6;
  CHECK(hash(arp) != hash(Bytes(60)));
}

// Flows come to many queues of the collector.
void flows_are_spread() {
  uint32_t used[16] = {};
  for (uint16_t port = 0; port < 1600; port++) used[hash(udp_frame(1, 2, port, 53)) % 16]++;
  for (const uint32_t flows : used) CHECK(flows > 50 && flows < 200);
}

void any_size() {
  const Bytes packet = udp_frame(1, 2, 1000, 53, 18, 5);
  for (size_t size = 0; size <= packet.size(); size++) {
    const Bytes cut(packet.begin(), packet.begin() + static_cast<long>(size));
    CHECK_ALL(hash(cut) == hash(cut));
  }
}

}  // namespace

void test_tunnel_packets() {
  own_packets();
  packets_of_others();
  cut_packets();
  flows();
  flows_are_spread();
  any_size();
}
