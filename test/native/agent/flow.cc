// Mirrors in hardware inside the agent: when rules are made and taken away. The driver is a table of functions of this
// test.
extern "C" {
#include "agent/library/dpdk.h"
#include "agent/library/flow/flow_mirror.h"
}

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "flow_orders.h"
#include "tap.h"

namespace {

constexpr uint16_t kPorts = 4;

struct rte_eth_fp_ops ports[RTE_MAX_ETHPORTS];
void* rx_queues[1];
void* tx_queues[1];

void start_port(uint16_t port) {
  ports[port].rxq.data = rx_queues;
  ports[port].txq.data = tx_queues;
}

// As ethdev does it.
void stop_port(uint16_t port) {
  ports[port] = {};
  ports[port].rxq.data = ports[port].txq.data = rx_queues;
}

void fake_ethdev() {
  dpdk.fast_path = ports;
  dpdk.is_valid_port = [](uint16_t port) { return port < kPorts ? 1 : 0; };
  dpdk.port_name = [](uint16_t port, char* name) {
    strcpy(name, ("port" + std::to_string(port)).c_str());
    return 0;
  };
  for (uint16_t port = 0; port < kPorts; port++) start_port(port);
}

// What the driver was asked, a letter each, with the number of the rule from 1: v, c, d.
std::string asked;
int made;
std::string refused;  // the call that is refused

int ask(char function, int rule) {
  const std::string call = function + std::to_string(rule);
  asked += call + " ";
  return call == refused ? EBUSY : 0;
}

int validated;
rte_flow* const kRules = reinterpret_cast<rte_flow*>(ports);  // never looked into

flow_calls driver() {
  flow_calls calls{};
  calls.validate = [](uint16_t, const rte_flow_attr*, const rte_flow_item*, const rte_flow_action*,
                      rte_flow_error* error) {
    error->type = RTE_FLOW_ERROR_TYPE_ACTION;
    error->message = "words of a driver's";
    return -ask('v', ++validated);
  };
  calls.create = [](uint16_t, const rte_flow_attr*, const rte_flow_item*, const rte_flow_action*,
                    rte_flow_error*) -> rte_flow* {
    if (ask('c', made + 1) != 0) return nullptr;
    return reinterpret_cast<rte_flow*>(reinterpret_cast<char*>(kRules) + ++made);
  };
  calls.destroy = [](uint16_t, rte_flow* rule, rte_flow_error*) {
    return -ask('d', static_cast<int>(reinterpret_cast<char*>(rule) - reinterpret_cast<char*>(kRules)));
  };
  calls.query = [](uint16_t, rte_flow*, const rte_flow_action*, void* data, rte_flow_error*) {
    static_cast<rte_flow_query_count*>(data)->hits = 7;
    return 0;
  };
  calls.pick_transfer_proxy = [](uint16_t, uint16_t* proxy, rte_flow_error*) {
    *proxy = 3;
    return 0;
  };
  calls.last_error = [] { return EBUSY; };
  return calls;
}

struct Begun {
  flow_mirror* mirror;
  int err;
  dpcap_flow_refusal refusal;
  dpcap_flow_status status;
};

const flow_calls kDriver = driver();

Begun begin(const dpcap_flow_order& order, const char* refuses = "") {
  static flow_order read;
  const std::vector<uint8_t> bytes = message(order);
  asked = "";
  refused = refuses;
  made = validated = 0;
  Begun begun{};
  CHECK(flow_order_read(bytes.data(), bytes.size(), &read));
  begun.mirror = flow_mirror_begin(&kDriver, &read, &begun.err, &begun.refusal, &begun.status);
  return begun;
}

void end(const Begun& begun, int err = 0) {
  dpcap_flow_refusal refusal;
  CHECK(flow_mirror_end(begun.mirror, &refusal) == err);
  if (err == 0) flow_mirror_free(begun.mirror);
}

void test_life() {
  const Begun begun = begin(head(3));
  CHECK(begun.err == 0 && asked == "v1 v2 v3 c1 c2 c3 ");
  CHECK(begun.status.proxy == 3 && begun.status.has_counters == 1 && begun.status.packets == 21);
  dpcap_flow_status told;
  flow_mirror_describe(begun.mirror, &told);
  CHECK(told.rule_count == 3 && told.has_counters == 0);  // for which the driver would have to be asked
  flow_mirror_count(begun.mirror, &told);
  CHECK(told.packets == 21 && told.has_counters == 1);
  CHECK(flow_mirror_watch(begun.mirror) == 0);
  CHECK(flow_mirror_is_of(begun.mirror, 77, 0) && !flow_mirror_is_of(begun.mirror, 78, 0));
  asked = "";
  refused = "d2";
  end(begun, EBUSY);
  refused = "";
  end(begun);
  CHECK(asked == "d3 d2 d2 d1 ");
}

void test_all_or_none() {
  CHECK(begin(head(3), "v2").mirror == nullptr && asked == "v1 v2 ");
  const Begun begun = begin(head(3), "c3");
  CHECK(begun.mirror == nullptr && begun.err == EBUSY && asked == "v1 v2 v3 c1 c2 c3 d2 d1 ");
  CHECK(begun.refusal.step == DPCAP_FLOW_CREATE && begun.refusal.rule == 2);
  const Begun refused_words = begin(head(1), "v1");
  CHECK(refused_words.refusal.type == RTE_FLOW_ERROR_TYPE_ACTION);
  CHECK(strcmp(refused_words.refusal.message, "words of a driver's") == 0);
  dpcap_flow_order only_asked = head(2);
  only_asked.flags |= DPCAP_FLOW_VALIDATE_ONLY;
  CHECK(begin(only_asked).mirror == nullptr && asked == "v1 v2 ");
}

void test_ports_that_stop() {
  const Begun stopped = begin(head(2));
  asked = "";
  stop_port(3);  // the one that has the rules; it is started again before anybody looks
  start_port(3);
  CHECK(flow_mirror_watch(stopped.mirror) == DPCAP_FLOW_PORT_STOPPED);
  end(stopped);
  CHECK(asked == "");

  const Begun other = begin(head(1));
  stop_port(2);
  CHECK(flow_mirror_watch(other.mirror) == DPCAP_FLOW_OTHERS_STOPPED);
  CHECK(begin(head(1)).err == ENETDOWN && asked == "");
  start_port(2);
  end(other);
  CHECK(asked == "d1 ");

  ports[0].reserved2[0] = 1;  // somebody else's
  dpcap_flow_order order = head(1);
  order.copy = to(DPCAP_FLOW_PORT, 0);
  CHECK(begin(order).err == EOPNOTSUPP && ports[0].reserved2[0] == 1);
  strcpy(order.source_device, "another");
  CHECK(begin(order).err == ENODEV);
}

}  // namespace

void test_agent_flow() {
  fake_ethdev();
  test_life();
  test_all_or_none();
  test_ports_that_stop();
}
