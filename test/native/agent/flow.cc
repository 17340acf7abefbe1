// Mirrors in hardware inside the agent: what is read of an order, what a rule is made of, and when rules are made and
// taken away. The driver is a table of functions of this test.
extern "C" {
#include "agent/library/dpdk.h"
#include "agent/library/flow/flow_mirror.h"
#include "agent/library/flow/flow_rule.h"
}

#include <rte_byteorder.h>

#include <cerrno>
#include <cstring>
#include <random>
#include <string>
#include <vector>

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

dpcap_flow_destination to(uint32_t kind, uint32_t value) {
  dpcap_flow_destination destination{};
  destination.kind = kind;
  destination.value = value;
  if (kind == DPCAP_FLOW_PORT) strcpy(destination.device, ("port" + std::to_string(value)).c_str());
  return destination;
}

// Of the embedded switch: from what port 1 represents to port 2; the originals go to group 5.
dpcap_flow_order head(uint32_t rules) {
  dpcap_flow_order order{};
  order.id = 9;
  order.owner_pid = 77;
  order.lease_seconds = 60;
  order.flags = DPCAP_FLOW_TRANSFER | DPCAP_FLOW_COUNT;
  order.ratio = 4;
  order.rule_count = rules;
  order.text_bytes = 3;
  order.through = order.source = 1;
  order.copy = to(DPCAP_FLOW_PORT, 2);
  order.fate = to(DPCAP_FLOW_JUMP, 5);
  strcpy(order.through_device, "port1");
  strcpy(order.source_device, "port1");
  return order;
}

dpcap_flow_match match() {
  dpcap_flow_match one{};
  one.flags = DPCAP_FLOW_TAGGED;
  one.vlan_tci = 100;
  one.vlan_tci_mask = 0xfff;
  one.ip_version = 4;
  one.ports_of = 6;
  one.target_port = 443;
  one.target_port_mask = 0xffff;
  memcpy(one.source_ip, "\x0a\x00\x00\x00", 4);
  memcpy(one.source_ip_mask, "\xff\x00\x00\x00", 4);
  return one;
}

std::vector<uint8_t> message(const dpcap_flow_order& order, const dpcap_flow_match& one = match()) {
  std::vector<uint8_t> bytes(sizeof order + order.rule_count * sizeof one + order.text_bytes, 'x');
  memcpy(bytes.data(), &order, sizeof order);
  for (uint32_t i = 0; i < order.rule_count; i++)
    memcpy(bytes.data() + sizeof order + i * sizeof one, &one, sizeof one);
  return bytes;
}

bool reads(const std::vector<uint8_t>& bytes) {
  static flow_order order;
  return flow_order_read(bytes.data(), bytes.size(), &order);
}

template <typename Change>
bool reads_with(Change change) {
  dpcap_flow_order order = head(1);
  dpcap_flow_match one = match();
  change(order, one);
  return reads(message(order, one));
}

void test_what_is_read() {
  using Order = dpcap_flow_order&;
  using Match = dpcap_flow_match&;
  CHECK(reads(message(head(DPCAP_FLOW_MOST_RULES))));
  const std::vector<uint8_t> good = message(head(2));
  for (size_t size = 0; size < good.size(); size++)
    CHECK_ALL(!reads({good.begin(), good.begin() + static_cast<long>(size)}));
  CHECK(!reads_with([](Order order, Match) { order.id = 0; }));
  CHECK(!reads_with([](Order order, Match) { order.ratio = 0; }));
  CHECK(!reads_with([](Order order, Match) { order.lease_seconds = DPCAP_MIRROR_MOST_LEASE + 1; }));
  CHECK(!reads_with([](Order order, Match) { order.flags = 8; }));
  CHECK(!reads_with([](Order order, Match) { order.source = RTE_MAX_ETHPORTS; }));
  CHECK(!reads_with([](Order order, Match) { order.copy = to(DPCAP_FLOW_DROP, 0); }));
  CHECK(!reads_with([](Order order, Match) { order.copy = to(DPCAP_FLOW_PORT, RTE_MAX_ETHPORTS); }));
  CHECK(!reads_with([](Order order, Match) { memset(order.copy.device, 'x', sizeof order.copy.device); }));
  CHECK(!reads_with([](Order order, Match) { order.fate = to(DPCAP_FLOW_QUEUE, 0); }));
  CHECK(!reads_with([](Order order, Match) { order.fate = to(DPCAP_FLOW_JUMP, 0); }));
  CHECK(!reads_with([](Order order, Match) { order.fate = to(0, 0); }));
  CHECK(!reads_with([](Order, Match one) { one.flags = DPCAP_FLOW_TAGGED | DPCAP_FLOW_UNTAGGED; }));
  CHECK(!reads_with([](Order, Match one) { one.ip_version = 5; }));
  CHECK(!reads_with([](Order, Match one) { one.ports_of = 1; }));
  CHECK(!reads(message(head(0))));
  CHECK(!reads(message(head(DPCAP_FLOW_MOST_RULES + 1))));
}

void test_fuzzed_orders() {
  std::mt19937 random(20);
  int read = 0;
  for (int i = 0; i < 20000; i++) {
    std::vector<uint8_t> bytes = message(head(1 + random() % 4));
    for (uint32_t flips = random() % 4; flips > 0; flips--) bytes[random() % bytes.size()] ^= 1u << random() % 8;
    read += reads(bytes);
  }
  CHECK(read > 0);
}

void test_rule() {
  const dpcap_flow_order order = head(1);
  const dpcap_flow_match one = match();
  flow_rule rule;
  flow_rule_make(&rule, &order, &one);
  CHECK(rule.attr.transfer == 1 && rule.attr.ingress == 0 && rule.attr.egress == 0);
  const rte_flow_item_type types[] = {RTE_FLOW_ITEM_TYPE_REPRESENTED_PORT,
                                      RTE_FLOW_ITEM_TYPE_ETH,
                                      RTE_FLOW_ITEM_TYPE_VLAN,
                                      RTE_FLOW_ITEM_TYPE_IPV4,
                                      RTE_FLOW_ITEM_TYPE_TCP,
                                      RTE_FLOW_ITEM_TYPE_END};
  for (size_t i = 0; i < RTE_DIM(types); i++) CHECK_ALL(rule.items[i].type == types[i]);
  CHECK(rule.items[1].spec == nullptr && rule.items[1].mask == nullptr);  // any Ethernet
  const auto* const ip = static_cast<const rte_flow_item_ipv4*>(rule.items[3].mask);
  CHECK(ip->hdr.src_addr == rte_cpu_to_be_32(0xff000000) && ip->hdr.dst_addr == 0 && ip->hdr.next_proto_id == 0);
  const auto* const tcp = static_cast<const rte_flow_item_tcp*>(rule.items[4].spec);
  CHECK(tcp->hdr.dst_port == rte_cpu_to_be_16(443) && tcp->hdr.src_port == 0);
  CHECK(rule.actions[0].type == RTE_FLOW_ACTION_TYPE_SAMPLE && rule.actions[1].type == RTE_FLOW_ACTION_TYPE_COUNT);
  CHECK(rule.actions[2].type == RTE_FLOW_ACTION_TYPE_JUMP && rule.actions[3].type == RTE_FLOW_ACTION_TYPE_END);
  const auto* const sample = static_cast<const rte_flow_action_sample*>(rule.actions[0].conf);
  CHECK(sample->ratio == 4 && sample->actions[0].type == RTE_FLOW_ACTION_TYPE_REPRESENTED_PORT);
  CHECK(static_cast<const rte_flow_action_ethdev*>(sample->actions[0].conf)->port_id == 2);
  CHECK(sample->actions[1].type == RTE_FLOW_ACTION_TYPE_END);
  CHECK(flow_rule_count(&rule) == &rule.actions[1]);
}

// An ingress rule for ARP in a VLAN, to a queue: it names no port, and the type is that behind the tag.
void test_ingress_rule() {
  dpcap_flow_order order = head(1);
  dpcap_flow_match one{};
  order.flags = 0;
  order.copy = to(DPCAP_FLOW_QUEUE, 1);
  order.fate = to(DPCAP_FLOW_DROP, 0);
  one.flags = DPCAP_FLOW_TAGGED;
  one.ether_type = 0x0806;
  one.ether_type_mask = 0xffff;
  flow_rule rule;
  flow_rule_make(&rule, &order, &one);
  CHECK(rule.attr.ingress == 1 && rule.attr.transfer == 0);
  CHECK(rule.items[0].type == RTE_FLOW_ITEM_TYPE_ETH && rule.items[0].spec == nullptr);
  CHECK(rule.items[1].type == RTE_FLOW_ITEM_TYPE_VLAN && rule.items[2].type == RTE_FLOW_ITEM_TYPE_END);
  CHECK(static_cast<const rte_flow_item_vlan*>(rule.items[1].spec)->hdr.eth_proto == rte_cpu_to_be_16(0x0806));
  CHECK(rule.actions[1].type == RTE_FLOW_ACTION_TYPE_DROP && flow_rule_count(&rule) == nullptr);
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

void test_loopback() {
  CHECK(strcmp(flow_loopback_function("net_i40e"), "rte_pmd_i40e_set_tx_loopback") == 0);
  CHECK(strcmp(flow_loopback_function("net_bnxt"), "rte_pmd_bnxt_set_tx_loopback") == 0);
  CHECK(flow_loopback_function("net_null") == nullptr && flow_loopback_function(nullptr) == nullptr);
}

}  // namespace

void test_agent_flow() {
  fake_ethdev();
  test_what_is_read();
  test_fuzzed_orders();
  test_rule();
  test_ingress_rule();
  test_life();
  test_all_or_none();
  test_ports_that_stop();
  test_loopback();
}
