// Mirrors into tunnels: what is sent, where to, how often, and what is left out.
#include <thread>

#include "agent/tunnel_scene.h"
#include "base/now.h"

namespace {

using namespace tunnels;

// What the collector's host is sent, but the MAC addresses; `time` is the one that was sent.
Bytes expected(const dpcap_mirror_tunnel& order, const Bytes& frame, const dpcap_tunnelled& what) {
  const own_tunnel own = tunnel_of_order(&order);
  Bytes packet = tunnel_packet(own.tunnel, own.outer, frame, what);
  std::copy(kNextHop.begin(), kNextHop.end(), packet.begin());
  std::copy(kMac.begin(), kMac.end(), packet.begin() + 6);
  return packet;
}

uint64_t time_in(const Bytes& packet) {
  return dpcap_get32(&packet[14 + 20 + 24]) * kHz + dpcap_get32(&packet[14 + 20 + 12]);
}

void test_headers() {
  for (const uint32_t kind : {DPCAP_MIRROR_ERSPAN_II, DPCAP_MIRROR_GRETAP, DPCAP_MIRROR_VXLAN}) {
    Queue queue;
    const dpcap_mirror_tunnel order = order_of(kind);
    Mirror mirror(queue, order, 400);
    CHECK(mirror.err == 0);
    const Bytes first = udp_frame(1, 2, 1000, 53), second = udp_frame(1, 2, 1000, 53, 700);
    Chain one(first, 30), two(second, SIZE_MAX);
    mirror.pass({one.head(), two.head()}, DPCAP_AGENT_TX);
    const auto size = static_cast<uint32_t>(first.size());
    CHECK(queue.sent.size() == 2 && queue.sent[0] == expected(order, first, {size, 0, 0, kSource, true, false}));
    CHECK(queue.sent[1] == expected(order, second, {400, 1, 0, kSource, true, true}));
    CHECK(mirror.counters().sent == 2 && mirror.counters().cut == 0);
  }
}

void test_time_and_cut() {
  Queue queue;
  const dpcap_mirror_tunnel order = order_of(DPCAP_MIRROR_ERSPAN_III);
  Mirror mirror(queue, order);
  CHECK(tunnel_targets_need_clock());
  const uint64_t before = dpcap::now_ns(CLOCK_REALTIME);
  const Bytes frame = udp_frame(1, 2, 1000, 53, 1472);
  Chain packet(frame, SIZE_MAX);
  mirror.pass({packet.head()});
  const uint32_t size = 1500 - 20 - 28;
  const uint64_t time = time_in(queue.sent[0]);
  CHECK(queue.sent[0] == expected(order, frame, {size, 0, time, kSource, false, true}));
  CHECK(queue.sent[0].size() == 1514 && mirror.counters().cut == 1);
  // The clock of a test is as exact as its guess at the frequency of the TSC.
  CHECK(time + kHz > before && time < dpcap::now_ns(CLOCK_REALTIME) + kHz);
}

void test_ipv6_checksum() {
  Queue queue;
  const dpcap_mirror_tunnel order = order_of(DPCAP_MIRROR_VXLAN, DPCAP_MIRROR_NEXT_HOP_GIVEN | DPCAP_MIRROR_IPV6);
  Mirror mirror(queue, order);
  for (const size_t payload : {0, 1, 100, 101}) {
    Chain packet(udp_frame(1, 2, 1000, 53, payload), SIZE_MAX);
    mirror.pass({packet.head()});
    const Bytes& sent = queue.sent.back();
    // The sum over the pseudo header and all of the datagram, its checksum included, is of ones alone.
    uint32_t sum = 17 + dpcap_get16(&sent[14 + 4]);
    for (size_t at = 14 + 8; at < sent.size(); at += 2)
      sum += at + 1 < sent.size() ? dpcap_get16(&sent[at]) : static_cast<uint32_t>(sent[at] << 8);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    CHECK(sum == 0xffff && dpcap_get16(&sent[14 + 40 + 6]) != 0);
  }
}

// Neither its own packets, nor those of another mirror's tunnel; those of others it does.
void test_own_packets() {
  Queue queue;
  const dpcap_mirror_tunnel order = order_of(DPCAP_MIRROR_VXLAN);
  dpcap_mirror_tunnel other = order_of(DPCAP_MIRROR_ERSPAN_III);
  const Bytes frame = udp_frame(1, 2, 1000, 53);
  const auto size = static_cast<uint32_t>(frame.size());
  const Bytes own = expected(order, frame, {size, 7, 0, 0, false, false});
  const Bytes foreign = expected(other, frame, {size, 7, 0, 0, false, false});
  Chain first(own, SIZE_MAX), second(foreign, SIZE_MAX), third(frame, SIZE_MAX);
  Mirror mirror(queue, order);
  {
    Mirror second_mirror(queue, other);
    mirror.pass({first.head(), second.head(), third.head(), first.head()});
    CHECK(queue.sent.size() == 1 && mirror.left_out().own == 3 && mirror.counters().matched == 1);
  }
  mirror.pass({first.head(), second.head()});  // the other one is over
  CHECK(queue.sent.size() == 2 && mirror.left_out().own == 1);
}

void test_same_tunnel_twice() {
  Queue queue;
  dpcap_mirror_tunnel order = order_of(DPCAP_MIRROR_GRETAP);
  Mirror mirror(queue, order);
  CHECK(mirror.err == 0 && Mirror(queue, order).err == EADDRINUSE);
  order.id++;
  CHECK(Mirror(queue, order).err == 0);
  order.id++;
  order.mtu = 1501;
  CHECK(Mirror(queue, order).err == EMSGSIZE);
}

void test_learning() {
  Queue queue;
  Mirror mirror(queue, order_of(DPCAP_MIRROR_VXLAN, 0));
  Chain packet(udp_frame(1, 2, 1000, 53), SIZE_MAX);
  mirror.pass({packet.head(), packet.head()});
  CHECK(mirror.left_out().unresolved == 2 && mirror.counters().matched == 2 && queue.sent.empty());
  const Bytes none(6), group{3, 0, 0, 0, 0, 9}, newer{2, 0, 0, 0, 0, 7};
  receive(arp(group));
  receive(arp(none));
  receive(arp(kNextHop), RTE_MBUF_F_RX_VLAN_STRIPPED);
  receive(udp_frame(1, 2, 1000, 53));
  receive(Bytes(20));
  CHECK(mirror.next_hop() == none);
  receive(arp(kNextHop));
  mirror.pass({packet.head()});
  CHECK(queue.sent.size() == 1 && Bytes(queue.sent[0].begin(), queue.sent[0].begin() + 6) == kNextHop);
  receive(arp(newer));  // another machine has its address now
  CHECK(mirror.next_hop() == newer);
}

void test_rate() {
  Queue queue;
  dpcap_mirror_tunnel order = order_of(DPCAP_MIRROR_VXLAN);
  order.most_rate = 100;
  Mirror mirror(queue, order);
  Chain packet(udp_frame(1, 2, 1000, 53), SIZE_MAX);
  mirror.pass(std::vector<rte_mbuf*>(60, packet.head()));
  CHECK(mirror.left_out().limited + mirror.counters().sent == 60 && mirror.left_out().limited > 0);
}

// What the queue refuses has a number, which the collector misses; of what is left out, or has no turn, nothing is
// missing.
void test_sequence() {
  Queue queue;
  Mirror mirror(queue, order_of(DPCAP_MIRROR_ERSPAN_II));
  Chain packet(udp_frame(1, 2, 1000, 53), SIZE_MAX);
  queue.room = 2;
  mirror.pass(std::vector<rte_mbuf*>(3, packet.head()));
  queue.room = 64;
  queue.is_contended = true;  // by another mirror, out of the same queue
  mirror.pass(std::vector<rte_mbuf*>(2, packet.head()));
  CHECK(mirror.counters().contended == 2);
  queue.is_contended = false;
  mirror.pass({packet.head()});
  std::vector<uint32_t> numbers;
  for (const Bytes& one : queue.sent) numbers.push_back(dpcap_get32(&one[14 + 20 + 4]));
  CHECK((numbers == std::vector<uint32_t>{0, 1, 3}));
}

// Two threads of an application into one tunnel: the numbers are in the order of the packets.
void test_threads() {
  Queue queue;
  Mirror mirror(queue, order_of(DPCAP_MIRROR_ERSPAN_III));
  tee lanes[2];
  Chain packets[2] = {{udp_frame(1, 2, 1000, 53), SIZE_MAX}, {udp_frame(1, 2, 1000, 53), SIZE_MAX}};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; i++) {
    tee_begin(&lanes[i], &mirror.kind, nullptr, DPCAP_AGENT_RX);
    threads.emplace_back([&, i] {
      rte_mbuf* burst[] = {packets[i].head(), packets[i].head()};
      for (int round = 0; round < 2000; round++) lanes[i].tap.take(&lanes[i].tap, burst, 2);
    });
  }
  for (std::thread& one : threads) one.join();
  bool is_ordered = true;
  for (size_t i = 0; i < queue.sent.size(); i++)
    is_ordered &= dpcap_get32(&queue.sent[i][14 + 20 + 4]) == static_cast<uint32_t>(i);
  dpcap_mirror_counters sum{};
  for (const tee& lane : lanes) tee_add_counters(&lane, &sum);
  CHECK(is_ordered && sum.sent == queue.sent.size() && sum.sent + sum.contended == 8000);
}

}  // namespace

void test_agent_tunnels() {
  fake::prepare();
  fake_port();
  clock_renew(kHz);
  test_headers();
  test_time_and_cut();
  test_ipv6_checksum();
  test_own_packets();
  test_same_tunnel_twice();
  test_learning();
  test_rate();
  test_sequence();
  test_threads();
}
