// The life of mirrors, from an order to the end: the queues that they take packets from, what refuses them, and what
// ends them.
extern "C" {
#include "agent/library/control/mirroring.h"
#include "agent/library/mirror/mirror.h"
#include "agent/library/mirror/port_target.h"
#include "agent/library/port/port_facts.h"
}

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <utility>

#include "agent/agent_client.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/unix_address.h"
#include "copies.h"
#include "ethdev_events.h"
#include "fake_mirroring.h"
#include "mirror/mirror_client.h"
#include "tap.h"

namespace {

constexpr uint16_t kSource = 25, kTarget = 26, kOther = 27;  // of this test alone: lanes stay
constexpr uint16_t kQueue = 1;
constexpr uint64_t kFastFree = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE, kLockFree = RTE_ETH_TX_OFFLOAD_MT_LOCKFREE;

template <typename Callback>
using Callbacks = std::map<std::pair<uint16_t, uint16_t>, std::pair<Callback, void*>>;
Callbacks<rte_rx_callback_fn> receivers;
Callbacks<rte_tx_callback_fn> senders;
uint16_t source_queues = 1;
std::map<uint16_t, uint64_t> offloads_of;

const rte_eth_rxtx_callback* some_callback() { return reinterpret_cast<const rte_eth_rxtx_callback*>(&fake::ops); }

void fake_queues() {
  dpdk.is_valid_rxq = [](uint16_t, uint16_t queue) { return queue < source_queues ? 0 : -EINVAL; };
  dpdk.is_valid_txq = [](uint16_t, uint16_t queue) { return queue <= kQueue ? 0 : -EINVAL; };
  dpdk.add_rx = [](uint16_t port, uint16_t queue, rte_rx_callback_fn callback, void* lane) {
    receivers[{port, queue}] = {callback, lane};
    return some_callback();
  };
  dpdk.add_tx = [](uint16_t port, uint16_t queue, rte_tx_callback_fn callback, void* lane) {
    senders[{port, queue}] = {callback, lane};
    return some_callback();
  };
}

void fake_ports() {
  dpdk.process_type = [] { return RTE_PROC_PRIMARY; };
  dpdk.is_valid_port = [](uint16_t port) { return port >= kSource && port <= kOther ? 1 : 0; };
  dpdk.next_port = [](uint16_t from) {
    return from > kOther ? uint16_t{RTE_MAX_ETHPORTS} : std::max(from, uint16_t{kSource});
  };
  dpdk.port_name = [](uint16_t port, char* name) {
    snprintf(name, RTE_ETH_NAME_MAX_LEN, "test%u", port);
    return 0;
  };
  dpdk.port_info = [](uint16_t, rte_eth_dev_info* info) {
    memset(static_cast<void*>(info), 0, sizeof *info);
    info->nb_rx_queues = source_queues;
    info->nb_tx_queues = kQueue + 1;
    return 0;
  };
  dpdk.port_conf = [](uint16_t port, rte_eth_conf* conf) {
    conf->txmode.offloads = offloads_of[port];
    return 0;
  };
  dpdk.mtu = [](uint16_t, uint16_t*) { return -1; };
  dpdk.on_event = keep_event_callback;
  fake::start_port(kSource);
  fake::start_port(kTarget);
}

dpcap_mirror_order head_of(uint32_t flags, uint16_t source = kSource) {
  static uint32_t last_id = 0;
  dpcap_mirror_order head{};
  head.id = ++last_id;
  head.owner_pid = 1;
  head.lease_seconds = 10;
  head.directions = DPCAP_AGENT_RX;
  head.snaplen = DPCAP_MIRROR_MOST_SNAPLEN;
  head.flags = flags;
  head.source_port = source;
  head.target_port = kTarget;
  head.target_queue = kQueue;
  snprintf(head.source_device, sizeof head.source_device, "test%u", source);
  snprintf(head.target_device, sizeof head.target_device, "test%u", kTarget);
  return head;
}

class Mirror {
 public:
  explicit Mirror(uint32_t flags, uint16_t source = kSource) {
    mirror_order order{};
    order.head = head_of(flags, source);
    order.filter = "";
    one = mirror_begin(&order, &err);
  }
  ~Mirror() {
    if (one == nullptr) return;
    CHECK_ALL(mirror_stop(one));
    mirror_free(one);
    fake::complete();
    port_targets_tick();  // the queue is left, and then freed
    port_targets_tick();
  }
  dpcap_mirror_status status() const {
    dpcap_mirror_report report;
    mirror_describe(one, &report);
    return report.mirror;
  }

  int err = 0;
  mirror* one = nullptr;
};

// The source receives a burst.
void receive(uint16_t queue) {
  Chain packet(numbered(60), SIZE_MAX);
  rte_mbuf* packets[] = {packet.head(), packet.head()};
  const auto [callback, lane] = receivers.at({kSource, queue});
  callback(kSource, queue, packets, 2, 2, lane);
}

// The application sends on the target's queue.
void send() {
  Chain packet(numbered(60), SIZE_MAX);
  rte_mbuf* packets[] = {packet.head()};
  const auto [callback, lane] = senders.at({kTarget, kQueue});
  callback(kTarget, kQueue, packets, 1, lane);
}

// No driver may free mbufs without a look at their references, also not that of a port which is started later.
void test_fast_free() {
  offloads_of = {{kOther, kFastFree}};
  CHECK(Mirror(DPCAP_MIRROR_BY_REFERENCE).err == EOPNOTSUPP);
  offloads_of.clear();
  {
    const Mirror mirror(DPCAP_MIRROR_BY_REFERENCE);
    offloads_of = {{kOther, kFastFree}};
    CHECK(mirror.err == 0 && mirror_watch(mirror.one) == 0);  // it is not started
    fake::start_port(kOther);
    CHECK(mirror_watch(mirror.one) == DPCAP_MIRROR_FAST_FREE);
  }
  const Mirror copying(0);
  CHECK(copying.err == 0 && mirror_watch(copying.one) == 0);
  fake::stop_port(kOther);
  offloads_of.clear();
}

// The copies are as long as the MTU says, where a host could be reached with it.
void test_longest_frame() {
  static uint16_t mtu;
  dpdk.mtu = [](uint16_t, uint16_t* out) {
    *out = mtu;
    return 0;
  };
  const std::pair<uint16_t, uint32_t> rows[] = {{600, 622}, {1500, 1522}, {9000, 9022}, {0, 1522}, {65535, 9728}};
  for (const auto& [given, longest] : rows) {
    port_facts facts;
    mtu = given;
    CHECK(port_facts_of(kTarget, &facts) == 0 && facts.frame_bytes == longest);
  }
  dpdk.mtu = [](uint16_t, uint16_t*) { return -1; };
}

void test_segments() {
  offloads_of = {{kTarget, RTE_ETH_TX_OFFLOAD_MULTI_SEGS}};
  mirror_target* target = nullptr;
  CHECK(port_target_use(kTarget, kQueue, false, &target) == 0 && target->takes_segments);
  port_target_leave(target);
  offloads_of.clear();
  CHECK(port_target_use(kTarget, kQueue, false, &target) == 0 && !target->takes_segments);
  port_target_leave(target);
  port_targets_tick();
  port_targets_tick();
}

void test_shared_queue() {
  offloads_of = {{kTarget, kLockFree}};
  {
    const Mirror mirror(0);
    send();
    CHECK(mirror.err == 0 && mirror_watch(mirror.one) == 0);
    receive(0);
    CHECK(mirror.status().counters.sent == 2);
    CHECK(Mirror(DPCAP_MIRROR_BY_REFERENCE).err == EBUSY);
    CHECK(Mirror(0, kTarget).err == EBUSY);  // what it sends would come by itself
  }
  {
    const Mirror alone(DPCAP_MIRROR_BY_REFERENCE);
    CHECK(alone.err == 0);
    send();
    CHECK(mirror_watch(alone.one) == DPCAP_MIRROR_QUEUE_USED);
  }
  const Mirror again(0);
  send();
  CHECK(again.err == 0 && mirror_watch(again.one) == 0);
  offloads_of.clear();
}

// A queue whose mbufs have to be of one pool is shared with nobody, though several threads may send there.
void test_one_pool_queue() {
  offloads_of = {{kTarget, kLockFree | kFastFree}};
  const Mirror mirror(0);
  CHECK(mirror.err == 0 && mirror_watch(mirror.one) == 0);
  send();
  CHECK(mirror_watch(mirror.one) == DPCAP_MIRROR_QUEUE_USED);
  offloads_of.clear();
}

// Queues that are added are mirrored, and a source that is stopped and started still is.
void test_source_queues() {
  const Mirror mirror(0);
  receive(0);
  CHECK(mirror.status().lanes == 1 && mirror.status().counters.sent == 2);
  source_queues = 2;
  CHECK(mirror_watch(mirror.one) == 0 && mirror.status().lanes == 2);
  receive(1);
  CHECK(mirror.status().counters.sent == 4);
  fake::stop_port(kSource);
  CHECK(mirror_watch(mirror.one) == 0);
  fake::start_port(kSource);
  CHECK(mirror_watch(mirror.one) == 0 && mirror.status().lanes == 2);
  for (const uint16_t queue : {0, 1}) receive(queue);
  CHECK(mirror.status().counters.sent == 8);
  source_queues = 1;
}

// Answers one message as the agent does.
void serve(int listener) {
  union {
    dpcap_agent_header header;
    uint8_t bytes[DPCAP_AGENT_MAX_MESSAGE];
  } message{};
  const dpcap::Descriptor client(accept(listener, nullptr, nullptr));
  const ssize_t size = recv(client.get(), &message, sizeof message, 0);
  const size_t head = sizeof message.header;
  CHECK_ALL(size >= static_cast<ssize_t>(head));
  mirroring_handle(client.get(), &message.header, message.bytes + head, static_cast<size_t>(size) - head);
}

void test_refusal_text() {
  char made[] = "/tmp/dpcap-test-XXXXXX";
  const std::string directory = mkdtemp(made), path = directory + "/agent";
  const dpcap::Descriptor listener(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  const sockaddr_un address = dpcap::unix_address(path, "cannot listen at");
  CHECK_ALL(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  CHECK_ALL(listen(listener.get(), 1) == 0);
  std::thread agent(serve, listener.get());
  offloads_of = {{kOther, kFastFree}};
  std::string refused;
  try {
    dpcap::AgentClient client(path);
    dpcap::mirror_set(client, {head_of(DPCAP_MIRROR_BY_REFERENCE), {}, {}, {}, {}});
  } catch (const dpcap::Error& error) {
    refused = std::string(error.code()) + ": " + error.what();
  }
  agent.join();
  offloads_of.clear();
  unlink(path.c_str());
  rmdir(directory.c_str());
  CHECK(refused.find("ERR_MIRROR_UNSAFE: ") == 0 && refused.find("MBUF_FAST_FREE") != std::string::npos);
}

}  // namespace

void test_agent_mirror_life() {
  fake::prepare();
  fake_queues();
  fake_ports();
  test_fast_free();
  test_longest_frame();
  test_segments();
  test_shared_queue();
  test_one_pool_queue();
  test_source_queues();
  test_refusal_text();
}
