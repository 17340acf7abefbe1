// A port without a driver, tunnels that leave by it, and lanes of mirrors into them.
#pragma once
extern "C" {
#include "agent/library/clock.h"
#include "agent/library/datapath/lane.h"
#include "agent/library/mirror/tee.h"
#include "agent/library/tunnel/tunnel_order.h"
#include "agent/library/tunnel/tunnel_target.h"
}

#include <cerrno>
#include <cstring>

#include "copies.h"
#include "ethdev_events.h"
#include "fake_mirroring.h"
#include "tap.h"
#include "tunnel/frames.h"

namespace tunnels {

constexpr uint16_t kPort = 23;  // of this test alone: lanes stay
constexpr uint16_t kSource = 3;
constexpr uint32_t kFrameBytes = 1522;
constexpr uint64_t kHz = 1'000'000'000;
inline const Bytes kMac{2, 0, 0, 0, 0, 1}, kNextHop{2, 0, 0, 0, 0, 9};

// What a queue is given.
struct Queue {
  Queue() {
    base.send = [](mirror_target* to, const mirror_burst* burst) {
      auto* const self = reinterpret_cast<Queue*>(to);
      if (self->is_contended) return mirror_sent{0, true};
      const uint16_t taken = std::min(burst->count, self->room);
      for (uint16_t i = 0; i < taken; i++) {
        const auto* const data = rte_pktmbuf_mtod(burst->packets[i], const uint8_t*);
        self->sent.emplace_back(data, data + burst->packets[i]->pkt_len);
      }
      copy_pool_give(&to->pool, burst->packets, taken);
      return mirror_sent{taken, false};
    };
    base.frame_bytes = kFrameBytes;
    CHECK_ALL(copy_pool_make(&base.pool, "test", 256, kFrameBytes) == 0);
  }
  ~Queue() { copy_pool_free(&base.pool); }

  mirror_target base{};  // comes first
  uint16_t room = 64;
  bool is_contended = false;
  std::vector<Bytes> sent;
};

inline dpcap_mirror_tunnel order_of(uint32_t kind, uint32_t flags = DPCAP_MIRROR_NEXT_HOP_GIVEN) {
  dpcap_mirror_tunnel order{};
  const bool is_ipv6 = (flags & DPCAP_MIRROR_IPV6) != 0;
  const dpcap_outer ends = is_ipv6 ? ipv6_ends() : ipv4_ends();
  order.kind = kind;
  order.id = 5;
  order.flags = flags;
  order.udp_port = 4789;
  order.mtu = 1500;
  order.ttl = ends.ttl;
  order.traffic_class = ends.traffic_class;
  if ((flags & DPCAP_MIRROR_NEXT_HOP_GIVEN) != 0) std::copy(kNextHop.begin(), kNextHop.end(), order.next_hop);
  memcpy(order.source, ends.source, 16);
  memcpy(order.destination, ends.destination, 16);
  memcpy(order.neighbour, ends.destination, 16);
  return order;
}

struct LaneCallback {
  rte_rx_callback_fn receive;
  void* lane;
};
inline LaneCallback receiver;

inline void fake_port() {
  dpdk.is_valid_port = [](uint16_t) { return 1; };
  dpdk.is_valid_rxq = [](uint16_t, uint16_t queue) { return queue == 0 ? 0 : -EINVAL; };
  dpdk.on_event = keep_event_callback;
  dpdk.tsc_hz = [] { return kHz; };
  dpdk.mac = [](uint16_t, rte_ether_addr* mac) {
    std::copy(kMac.begin(), kMac.end(), mac->addr_bytes);
    return 0;
  };
  dpdk.add_rx = [](uint16_t, uint16_t, rte_rx_callback_fn callback, void* lane) {
    receiver = {callback, lane};
    return reinterpret_cast<const rte_eth_rxtx_callback*>(&fake::ops);
  };
}

// A tunnel out of a queue, and a lane of a mirror into it.
class Mirror {
 public:
  Mirror(Queue& queue, const dpcap_mirror_tunnel& order, uint32_t snaplen = 262144) {
    err = tunnel_target_begin(&order, kPort, &queue.base, &target);
    kind = {target, snaplen, false, false, 0, kSource};
  }
  ~Mirror() {
    if (err != 0) return;
    tunnel_target_end(target);
    tunnel_targets_tick();
    CHECK_ALL(!tunnel_targets_tick());  // nobody is in a callback: it is freed
  }
  void pass(std::vector<rte_mbuf*> packets, uint32_t direction = DPCAP_AGENT_RX) {
    tee_begin(&one, &kind, nullptr, direction);
    one.tap.take(&one.tap, packets.data(), static_cast<uint16_t>(packets.size()));
  }
  dpcap_mirror_counters counters() const {
    dpcap_mirror_counters sum{};
    tee_add_counters(&one, &sum);
    return sum;
  }
  dpcap_mirror_tunnel_counters left_out() const {
    dpcap_mirror_tunnel_counters sum{};
    tee_add_left_out(&one, &sum);
    return sum;
  }
  Bytes next_hop() const {
    dpcap_mirror_tunnel tunnel;
    tunnel_target_describe(target, &tunnel);
    return {tunnel.next_hop, tunnel.next_hop + 6};
  }

  int err;
  mirror_target* target = nullptr;
  tee_kind kind;
  tee one;
};

inline Bytes arp(const Bytes& sender) {
  Bytes frame(60);
  const uint8_t head[] = {8, 6, 0, 1, 8, 0, 6, 4, 0, 2};
  memcpy(&frame[12], head, sizeof head);
  memcpy(&frame[22], sender.data(), 6);
  memcpy(&frame[28], ipv4_ends().destination, 4);
  return frame;
}

// The port receives a frame.
inline void receive(const Bytes& frame, uint64_t flags = 0) {
  Chain packet(frame, SIZE_MAX);
  packet.head()->ol_flags = flags;
  rte_mbuf* packets[] = {packet.head()};
  receiver.receive(kPort, 0, packets, 1, 1, receiver.lane);
}

}  // namespace tunnels
