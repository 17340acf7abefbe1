// Transmit queues of ports as the targets of mirrors: who may use one, what it sends, and when it ends.
extern "C" {
#include "agent/library/mirror/port_target.h"
#include "agent/library/port/port_facts.h"
}

#include <cerrno>
#include <cstring>
#include <vector>

#include "copies.h"
#include "ethdev_events.h"
#include "fake_mirroring.h"
#include "tap.h"

namespace {

constexpr uint16_t kPort = 21;  // of this test alone: lanes stay

void fake_ports() {
  dpdk.is_valid_port = [](uint16_t) { return 1; };
  dpdk.is_valid_txq = nullptr;
  dpdk.on_event = keep_event_callback;
  dpdk.mtu = [](uint16_t, uint16_t*) { return -1; };
  dpdk.port_info = [](uint16_t, rte_eth_dev_info* info) {
    memset(static_cast<void*>(info), 0, sizeof *info);
    info->nb_tx_queues = 2;
    return 0;
  };
  dpdk.add_tx = [](uint16_t, uint16_t, rte_tx_callback_fn, void*) {
    return reinterpret_cast<const rte_eth_rxtx_callback*>(&fake::ops);
  };
}

void test_port_target() {
  mirror_target* target = nullptr;
  mirror_target* again = nullptr;
  fake_ports();
  fake::stop_port(kPort);
  CHECK(port_target_use(kPort, 7, false, &target) == ERANGE);
  CHECK(port_target_use(kPort, DPCAP_MIRROR_LAST_QUEUE, false, &target) == ENETDOWN);
  fake::start_port(kPort);
  CHECK(port_target_use(kPort, DPCAP_MIRROR_LAST_QUEUE, false, &target) == 0);
  CHECK(port_target_queue(target) == 1 && port_target_fault(target) == 0);
  CHECK(port_target_use(kPort, 1, false, &again) == 0 && again == target);  // two mirrors share a queue, and its pool
  rte_mbuf* copies[3];
  CHECK(copy_pool_take(&target->pool, copies, 3) == 3);
  const mirror_burst two{copies, 2, 0, DPCAP_AGENT_RX, 0}, third{copies + 2, 1, 0, DPCAP_AGENT_RX, 0};
  CHECK(target->send(target, &two).count == 2 && fake::driver_has.size() == 2);
  fake::stop_port(kPort);
  CHECK(target->send(target, &third).count == 0);  // nothing is given to a driver that is stopped
  CHECK(port_target_fault(target) == DPCAP_MIRROR_TARGET_STOPPED);
  copy_pool_give(&target->pool, copies + 2, 1);
  port_target_leave(target);
  port_target_leave(target);
  for (int i = 0; i < 3; i++) CHECK_ALL(port_targets_tick());  // the driver has copies: the pool stays
  CHECK(fake::pools.size() == 1);
  fake::complete();
  port_targets_tick();
  CHECK(!port_targets_tick() && fake::pools.empty());
}

// Whoever reads a port's functions while ethdev resets them finds any of them old, new or cleared.
void test_port_in_the_middle_of_a_stop() {
  static void* not_ready[RTE_MAX_QUEUES_PER_PORT];
  for (void*& queue : not_ready) queue = not_ready;
  fake_ports();
  fake::start_port(kPort);
  auto& port = fake::fast_path[kPort];
  const auto running = port;
  mirror_target* target = nullptr;
  CHECK(port_target_use(kPort, 1, false, &target) == 0);
  rte_mbuf* copies[1];
  CHECK(copy_pool_take(&target->pool, copies, 1) == 1);
  const mirror_burst one{copies, 1, 0, DPCAP_AGENT_RX, 0};
  const auto sent_with = [&](auto reset) {
    reset();
    const uint16_t sent = target->send(target, &one).count;
    port = running;
    return sent;
  };
  CHECK(sent_with([&] { port.txq.data = not_ready; }) == 0);
  CHECK(sent_with([&] { port.txq.data = nullptr; }) == 0);
  CHECK(sent_with([&] { port.tx_pkt_burst = nullptr; }) == 0);
  CHECK(sent_with([&] { port.tx_pkt_burst = [](void*, rte_mbuf**, uint16_t) { return uint16_t{0}; }; }) == 0);
  CHECK(fake::driver_has.empty() && port_target_fault(target) == 0);
  CHECK(sent_with([&] { port.txq.clbk = nullptr; }) == 1);  // the driver has its queue still
  // What a driver has in its place for a while, the agent uses as the application does.
  port.tx_pkt_burst = [](void*, rte_mbuf**, uint16_t) { return uint16_t{1}; };
  port_targets_tick();
  CHECK(target->send(target, &one).count == 0);
  port_targets_tick();
  CHECK(target->send(target, &one).count == 1);
  port_target_leave(target);
  fake::complete();
  port_targets_tick();
  CHECK(!port_targets_tick() && fake::pools.empty());
}

// A driver that frees only when it has to keeps a copy in nearly each of its descriptors, however large copies are.
void test_jumbo_target() {
  constexpr int kBursts = 200;
  fake_ports();
  fake::start_port(kPort);
  fake::descriptors = 4096;
  dpdk.mtu = [](uint16_t, uint16_t* mtu) {
    *mtu = 9000;
    return 0;
  };
  mirror_target* target = nullptr;
  CHECK(port_target_use(kPort, 0, false, &target) == 0);
  int whole = 0;
  for (int i = 0; i < kBursts; i++) {
    rte_mbuf* copies[MIRROR_BURST];
    const uint16_t taken = copy_pool_take(&target->pool, copies, MIRROR_BURST);
    const mirror_burst burst{copies, taken, 0, DPCAP_AGENT_RX, 0};
    const uint16_t sent = target->send(target, &burst).count;
    copy_pool_give(&target->pool, copies + sent, static_cast<uint16_t>(taken - sent));
    whole += taken == MIRROR_BURST && sent > 0;
  }
  CHECK(whole == kBursts);
  port_target_leave(target);
  fake::complete();
  port_targets_tick();
  CHECK(!port_targets_tick() && fake::pools.empty());
  fake::descriptors = 0;
}

// A driver with this offload puts mbufs back into their pool although others have references: no port may have it.
void test_fast_free() {
  dpdk.next_port = [](uint16_t port) { return port <= kPort ? kPort : uint16_t{RTE_MAX_ETHPORTS}; };
  CHECK(!port_any_offloads(RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE));
  fake::offloads = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
  CHECK(port_any_offloads(RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE));
  fake::offloads = 0;
}

}  // namespace

void test_agent_port_targets() {
  fake::prepare();
  test_port_target();
  test_port_in_the_middle_of_a_stop();
  test_jumbo_target();
  test_fast_free();
}
