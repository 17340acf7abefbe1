// Lanes of ports that go and come: ethdev keeps a callback for whatever port is in its place next.
extern "C" {
#include "agent/library/clock.h"
#include "agent/library/datapath/lane.h"
#include "agent/library/dpdk.h"
#include "agent/library/memory.h"
}

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "copies.h"
#include "ethdev_events.h"
#include "tap.h"

namespace {

constexpr uint16_t kPort = 7;  // of this test alone: lanes stay
constexpr uint16_t kBurst = 8;
bool has_port, has_queue = true;
std::vector<std::pair<rte_rx_callback_fn, void*>> callbacks;

void fake_ethdev() {
  dpdk.is_valid_port = [](uint16_t) { return has_port ? 1 : 0; };
  dpdk.is_valid_rxq = [](uint16_t, uint16_t) { return has_queue ? 0 : -1; };
  dpdk.on_event = keep_event_callback;
  dpdk.add_rx = [](uint16_t, uint16_t, rte_rx_callback_fn callback, void* lane) {
    callbacks.emplace_back(callback, lane);
    return reinterpret_cast<const rte_eth_rxtx_callback*>(&callbacks);
  };
}

void destroy_port() {
  has_port = false;
  on_port_destroyed(kPort, RTE_ETH_EVENT_DESTROY, nullptr, nullptr);
}

// A stream with memory of its own.
struct Capture {
  Capture() : memory{}, taken{} {
    CHECK_ALL(memory_make(&memory, 4 << 20, 1) == 0);
    taken.kind = {DPCAP_AGENT_PCAP, true, 262144, DPCAP_AGENT_RX, 0, 0};
    stream_use(&taken, &memory, 1, 0);
  }
  ~Capture() { memory_free(&memory); }
  struct memory memory;
  stream taken;
};

// The port receives a burst.
void receive() {
  Chain packet(numbered(60), SIZE_MAX, 64);
  rte_mbuf* packets[kBurst];
  for (rte_mbuf*& one : packets) one = packet.head();
  for (const auto& [callback, lane] : callbacks) callback(kPort, 0, packets, kBurst, kBurst, lane);
}

}  // namespace

void test_agent_lanes() {
  fake_ethdev();
  clock_renew(2'000'000'000);
  has_port = true;
  lane* const place = lane_find(kPort, 0, DPCAP_AGENT_RX);
  Capture first, second;
  CHECK(lane_attach(place, &first.taken) == 0 && callbacks.size() == 1);
  receive();
  CHECK(first.taken.accepted == kBurst && !lane_has_ended(place, &first.taken));
  has_queue = false;  // the port is set up with fewer
  CHECK(lane_has_ended(place, &first.taken) && lane_has_port(place, &first.taken));
  has_queue = true;

  destroy_port();
  CHECK(!lane_has_port(place, &first.taken));
  CHECK(lane_has_ended(place, &first.taken) && !lane_is_there(place));
  CHECK(lane_attach(place, &second.taken) == ENODEV);
  has_port = true;  // another one, perhaps
  receive();
  CHECK(first.taken.accepted == kBurst && lane_has_ended(place, &first.taken));

  // Somebody captures the new port: the old capture gets nothing of it, and no packet comes twice.
  CHECK(lane_is_there(place) && lane_attach(place, &second.taken) == 0 && callbacks.size() == 1);
  receive();
  CHECK(first.taken.accepted == kBurst && second.taken.accepted == kBurst);
  CHECK(lane_has_ended(place, &first.taken) && !lane_has_ended(place, &second.taken));

  lane_detach(place, &first.taken);
  CHECK(lane_attach(place, &first.taken) == 0);
  receive();
  CHECK(first.taken.accepted == 2 * kBurst && second.taken.accepted == 2 * kBurst);

  lanes_leave();  // as in a child
  receive();
  CHECK(first.taken.accepted == 2 * kBurst && second.taken.accepted == 2 * kBurst);
}
