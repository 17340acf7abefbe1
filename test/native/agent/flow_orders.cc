// What the agent reads of an order for a mirror in hardware, and what it makes a rule of.
extern "C" {
#include "agent/library/flow/flow_calls.h"
#include "agent/library/flow/flow_order.h"
#include "agent/library/flow/flow_rule.h"
}

#include <rte_byteorder.h>

#include <random>

#include "flow_orders.h"
#include "tap.h"

namespace {

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

void test_loopback() {
  CHECK(strcmp(flow_loopback_function("net_i40e"), "rte_pmd_i40e_set_tx_loopback") == 0);
  CHECK(strcmp(flow_loopback_function("net_bnxt"), "rte_pmd_bnxt_set_tx_loopback") == 0);
  CHECK(flow_loopback_function("net_null") == nullptr && flow_loopback_function(nullptr) == nullptr);
}

}  // namespace

void test_agent_flow_orders() {
  test_what_is_read();
  test_fuzzed_orders();
  test_rule();
  test_ingress_rule();
  test_loopback();
}
