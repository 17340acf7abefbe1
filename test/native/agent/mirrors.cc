// Mirrors: what their copies are, and that none of the application's mbufs is lost.
extern "C" {
#include "agent/library/mirror/port_facts.h"
#include "agent/library/mirror/port_target.h"
#include "agent/library/mirror/tee.h"
}

#include <cerrno>
#include <cstring>
#include <vector>

#include "copies.h"
#include "ethdev_events.h"
#include "fake_mirroring.h"
#include "tap.h"

namespace {

constexpr uint32_t kFrame = 200;
constexpr uint32_t kCopies = 8;
constexpr uint16_t kPort = 21;  // of this test alone: lanes stay

using Bytes = std::vector<uint8_t>;

// A target that takes as many as it is told to, and remembers their bytes.
struct Target {
  Target() {
    base.send = [](mirror_target* to, const mirror_burst* burst) {
      auto* const self = reinterpret_cast<Target*>(to);
      if (self->is_contended) return mirror_sent{0, true};
      const uint16_t taken = std::min(burst->count, self->room);
      self->shortened = burst->shortened;
      for (uint16_t i = 0; i < taken; i++) {
        const auto* const data = rte_pktmbuf_mtod(burst->packets[i], const uint8_t*);
        self->sent.emplace_back(data, data + burst->packets[i]->data_len);
        self->kept.push_back(burst->packets[i]);
      }
      return mirror_sent{taken, false};
    };
    base.frame_bytes = kFrame;
    CHECK_ALL(copy_pool_make(&base.pool, "test", kCopies, kFrame) == 0);
  }
  ~Target() { copy_pool_free(&base.pool); }
  uint32_t free_copies() const { return fake::available(base.pool.mempool); }

  mirror_target base{};  // comes first
  uint16_t room = 64;
  bool is_contended = false;
  uint64_t shortened = 0;
  std::vector<Bytes> sent;
  std::vector<rte_mbuf*> kept;
};

dpcap_mirror_counters counters_of(const tee& one) {
  dpcap_mirror_counters sum{};
  tee_add_counters(&one, &sum);
  return sum;
}

// Mirrors one burst.
void pass(tee& one, const tee_kind& kind, std::vector<rte_mbuf*> packets, uint32_t direction = DPCAP_AGENT_RX) {
  tee_begin(&one, &kind, nullptr, direction);
  one.tap.take(&one.tap, packets.data(), static_cast<uint16_t>(packets.size()));
}

Bytes part(const Bytes& bytes, size_t from, size_t to) {
  return {bytes.begin() + static_cast<long>(from), bytes.begin() + static_cast<long>(to)};
}

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& one : parts) all.insert(all.end(), one.begin(), one.end());
  return all;
}

void test_copies() {
  Target target;
  const Bytes bytes = numbered(100);
  Chain whole(bytes, SIZE_MAX), cut(bytes, 17), stripped(bytes, 40), longer(numbered(300), SIZE_MAX);
  stripped.head()->ol_flags = RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_VLAN;
  stripped.head()->vlan_tci = 0x2064;
  tee one;
  pass(one, {&target.base, 1000, false, false, 0, 0}, {whole.head(), cut.head(), stripped.head(), longer.head()});
  const Bytes tag{0x81, 0x00, 0x20, 0x64};
  CHECK(target.sent[0] == bytes && target.sent[1] == bytes);
  CHECK(target.sent[2] == joined({part(bytes, 0, 12), tag, part(bytes, 12, 100)}));
  CHECK(target.sent[3] == part(numbered(300), 0, kFrame));
  const dpcap_mirror_counters counted = counters_of(one);
  CHECK(counted.matched == 4 && counted.copied == 4 && counted.sent == 4 && counted.cut == 1);
  CHECK(target.shortened == 8);
  CHECK(target.free_copies() == kCopies - 4);
}

void test_pushed_tag() {
  Target target;
  const Bytes bytes = numbered(100), tag{0x81, 0x00, 0xa0, 0x64};
  Chain whole(bytes, SIZE_MAX), tiny(numbered(8), SIZE_MAX);
  tee one;
  pass(one, {&target.base, 50, false, true, 0xa064, 0}, {whole.head(), tiny.head()});
  CHECK(target.sent[0] == joined({part(bytes, 0, 12), tag, part(bytes, 12, 50)}));
  CHECK(target.sent[1] == numbered(8));  // no frame: there is no place for a tag in it
  CHECK(counters_of(one).cut == 0 && target.shortened == 1);
}

void test_short_transmit() {
  Target target;
  target.room = 2;
  Chain packet(numbered(60), SIZE_MAX);
  tee one;
  const tee_kind kind{&target.base, 1000, false, false, 0, 0};
  pass(one, kind, std::vector<rte_mbuf*>(5, packet.head()));
  CHECK(counters_of(one).sent == 2 && counters_of(one).refused == 3 && counters_of(one).matched == 5);
  CHECK(target.free_copies() == kCopies - 2);  // the copies that were not taken are back
  CHECK(rte_mbuf_refcnt_read(packet.head()) == 0 && packet.head()->pkt_len == 60);  // the original is as it was
  target.is_contended = true;
  pass(one, kind, std::vector<rte_mbuf*>(3, packet.head()));
  CHECK(counters_of(one).contended == 3 && counters_of(one).copied == 3 && counters_of(one).sent == 0);
  CHECK(target.free_copies() == kCopies - 2);
}

void test_no_mbufs() {
  Target target;
  Chain packet(numbered(60), SIZE_MAX);
  tee one;
  pass(one, {&target.base, 1000, false, false, 0, 0}, std::vector<rte_mbuf*>(kCopies + 70, packet.head()));
  const dpcap_mirror_counters counted = counters_of(one);
  CHECK(counted.sent == kCopies && counted.nombuf == 70 && counted.matched == kCopies + 70);
  CHECK(counted.copied == kCopies && target.free_copies() == 0);
}

// What a driver with MBUF_FAST_FREE frees into the wrong pool is no copy, and does not make up for one.
void test_foreign_mbufs() {
  Target target;
  rte_mempool other{};
  rte_mbuf foreign{};
  foreign.pool = &other;
  rte_mbuf *one = nullptr, *lost = &foreign, *copies[kCopies];
  const auto mix = [&] {
    CHECK(copy_pool_take(&target.base.pool, &one, 1) == 1);
    copy_pool_give(&target.base.pool, &lost, 1);
    CHECK(target.free_copies() == kCopies);
  };
  mix();
  CHECK(!copy_pool_is_whole(&target.base.pool));
  copy_pool_give(&target.base.pool, &one, 1);
  CHECK(copy_pool_is_whole(&target.base.pool));
  mix();
  const uint16_t taken = copy_pool_take(&target.base.pool, copies, kCopies);
  CHECK(taken == kCopies - 1 && std::find(copies, copies + taken, lost) == copies + taken);
}

void test_references() {
  Target target;
  target.room = 1;
  target.base.takes_segments = true;
  Chain first(numbered(100), 40), second(numbered(100), 40);
  for (Chain* chain : {&first, &second}) {
    for (rte_mbuf* one = chain->head(); one != nullptr; one = one->next) rte_mbuf_refcnt_set(one, 1);
  }
  tee one;
  pass(one, {&target.base, DPCAP_MIRROR_MOST_SNAPLEN, true, false, 0, 0}, {first.head(), second.head()});
  CHECK(target.kept.size() == 1 && target.kept[0] == first.head());
  CHECK(rte_mbuf_refcnt_read(first.head()) == 2 && rte_mbuf_refcnt_read(first.head()->next) == 2);
  CHECK(rte_mbuf_refcnt_read(second.head()) == 1 && rte_mbuf_refcnt_read(second.head()->next) == 1);
  CHECK(counters_of(one).refused == 1 && target.free_copies() == kCopies);
}

// The packet itself is neither cut nor joined: what the target's driver does not take as it is, it does not get.
void test_unfit_references() {
  Target target;
  Chain longest(numbered(kFrame), SIZE_MAX), longer(numbered(kFrame + 1), SIZE_MAX), segmented(numbered(100), 40);
  tee one;
  const tee_kind kind{&target.base, DPCAP_MIRROR_MOST_SNAPLEN, true, false, 0, 0};
  pass(one, kind, {longer.head(), longest.head(), segmented.head()});
  CHECK(target.kept.size() == 1 && target.kept[0] == longest.head());
  CHECK(rte_mbuf_refcnt_read(longer.head()) == 0 && rte_mbuf_refcnt_read(segmented.head()) == 0);
  const dpcap_mirror_counters counted = counters_of(one);
  CHECK(counted.matched == 3 && counted.sent == 1 && counted.refused == 2 && counted.copied == 3);
  target.base.takes_segments = true;
  pass(one, kind, {segmented.head()});
  CHECK(counters_of(one).sent == 1);
}

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

void test_agent_mirrors() {
  fake::prepare();
  test_copies();
  test_pushed_tag();
  test_short_transmit();
  test_no_mbufs();
  test_foreign_mbufs();
  test_references();
  test_unfit_references();
  test_port_target();
  test_port_in_the_middle_of_a_stop();
  test_jumbo_target();
  test_fast_free();
}
