// Parts of tunnels: whose MAC address is learnt from what, how many packets may go, and what an order may say.
extern "C" {
#include "agent/library/tunnel/neighbour.h"
#include "agent/library/tunnel/rate_limit.h"
}

#include "agent/tunnel_scene.h"

namespace {

using namespace tunnels;

bool learns(const dpcap_outer& ends, const Bytes& frame) {
  neighbour one;
  uint8_t mac[6];
  neighbour_begin(&one, ends.is_ipv6, ends.destination);
  for (uint32_t size = 0; size < frame.size(); size++) {
    const Bytes cut(frame.begin(), frame.begin() + size);  // the address sanitizer sees what is read behind it
    neighbour_look(&one, cut.data(), size);
  }
  neighbour_begin(&one, ends.is_ipv6, ends.destination);
  neighbour_look(&one, frame.data(), static_cast<uint32_t>(frame.size()));
  return neighbour_mac(&one, mac) && Bytes(mac, mac + 6) == kNextHop;
}

Bytes from_neighbour(const dpcap_outer& ends, uint8_t protocol) {
  dpcap_outer back = ends;
  std::swap(back.source, back.destination);
  Bytes packet(14 + dpcap_outer_ip_size(&back) + 32);
  std::copy(kNextHop.begin(), kNextHop.end(), packet.begin() + 6);
  dpcap_put16(&packet[12], back.is_ipv6 ? 0x86dd : 0x0800);
  dpcap_outer_write_ip(&back, protocol, 32, &packet[14]);
  return packet;
}

void test_neighbours() {
  const Bytes four = from_neighbour(ipv4_ends(), 17), six = from_neighbour(ipv6_ends(), 17);
  CHECK(learns(ipv4_ends(), arp(kNextHop)) && learns(ipv4_ends(), four) && learns(ipv6_ends(), six));
  CHECK(!learns(ipv6_ends(), four) && !learns(ipv4_ends(), six) && !learns(ipv6_ends(), arp(kNextHop)));
  Bytes tagged = four;
  const uint8_t tag[] = {0x81, 0, 0, 5};
  tagged.insert(tagged.begin() + 12, tag, tag + 4);
  CHECK(!learns(ipv4_ends(), tagged));
  // An advertisement may come from any address of the neighbour's, by any MAC address.
  Bytes advertised = from_neighbour(ipv6_ends(), 58);
  advertised[14 + 8] = 0xfe;
  advertised[6] = 6;
  advertised[54] = 136;
  memcpy(&advertised[54 + 8], ipv6_ends().destination, 16);
  advertised[54 + 24] = 2;
  advertised[54 + 25] = 1;
  std::copy(kNextHop.begin(), kNextHop.end(), advertised.begin() + 54 + 26);
  CHECK(learns(ipv6_ends(), advertised));
  advertised[54 + 8 + 15]++;  // of somebody else
  CHECK(!learns(ipv6_ends(), advertised));
}

void test_rate() {
  rate_limit limit;
  rate_limit_begin(&limit, 1000, kHz, 10 * kHz);
  CHECK(rate_limit_take(&limit, 10 * kHz, 64) == 64 && rate_limit_take(&limit, 10 * kHz, 64) == 36);
  CHECK(rate_limit_take(&limit, 10 * kHz + 999'999, 64) == 0 && rate_limit_take(&limit, 10 * kHz + 1'000'000, 64) == 1);
  CHECK(rate_limit_take(&limit, 9 * kHz, 64) == 0);  // a CPU whose TSC is behind
  uint32_t taken = 0;
  for (uint64_t now = 20 * kHz; now < 21 * kHz; now += kHz / 100) taken += rate_limit_take(&limit, now, 64);
  CHECK(taken >= 1000 && taken <= 1100);
  rate_limit_begin(&limit, 0, kHz, 0);
  CHECK(rate_limit_take(&limit, 0, 64) == 64);
}

void test_orders() {
  const auto is_sane = [](auto change) {
    dpcap_mirror_tunnel order = order_of(DPCAP_MIRROR_ERSPAN_III);
    change(order);
    return tunnel_order_is_sane(&order);
  };
  CHECK(is_sane([](auto&) {}));
  CHECK(!is_sane([](auto& one) { one.kind = 0; }) && !is_sane([](auto& one) { one.kind = 5; }));
  CHECK(!is_sane([](auto& one) { one.id = 1024; }) && !is_sane([](auto& one) { one.flags = 8; }));
  CHECK(!is_sane([](auto& one) { one.mtu = 575; }) && !is_sane([](auto& one) { one.ttl = 0; }));
  CHECK(!is_sane([](auto& one) { one.hardware_id = 64; }));
  CHECK(!is_sane([](auto& one) { one.next_hop[0] = 1; }));
  CHECK(!is_sane([](auto& one) { memset(one.next_hop, 0, 6); }));
  CHECK(!is_sane([](auto& one) { one.source[0] = 0; }) && !is_sane([](auto& one) { one.destination[0] = 224; }));
  CHECK(!is_sane([](auto& one) { one.neighbour[4] = 1; }));  // behind an IPv4 address
  CHECK(!is_sane([](auto& one) { one.kind = DPCAP_MIRROR_VXLAN, one.udp_port = 0; }));
}

}  // namespace

void test_agent_tunnel_parts() {
  test_neighbours();
  test_rate();
  test_orders();
}
