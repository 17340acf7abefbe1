// A flow rule as DPDK takes it, made from what a client asks for. Nothing here touches a driver. Agent's thread.
#pragma once
#include <rte_flow.h>

#include "agent/wire/flow.h"

struct flow_specs {
  struct rte_flow_item_ethdev represented;
  struct rte_flow_item_eth eth;
  struct rte_flow_item_vlan vlan;
  union {
    struct rte_flow_item_ipv4 v4;
    struct rte_flow_item_ipv6 v6;
  } ip;
  union {
    struct rte_flow_item_tcp tcp;
    struct rte_flow_item_udp udp;
    struct rte_flow_item_sctp sctp;
  } l4;
};

// What a destination becomes.
struct flow_exit {
  union {
    struct rte_flow_action_queue queue;
    struct rte_flow_action_ethdev port;
    struct rte_flow_action_jump jump;
  } conf;
};

// The items and actions point into the rule itself: it is neither copied nor moved.
struct flow_rule {
  struct rte_flow_attr attr;
  struct rte_flow_item items[6];      // represented port, Ethernet, VLAN, IP, transport, end
  struct rte_flow_action actions[4];  // sample, count, fate, end
  struct rte_flow_action copy_actions[2];
  struct rte_flow_action_sample sample;
  struct rte_flow_action_count count;
  struct flow_exit fate;
  struct flow_exit copy;
  struct flow_specs spec;
  struct flow_specs mask;
};

// Both are checked: see flow_order.h.
void flow_rule_make(struct flow_rule *rule, const struct dpcap_flow_order *order, const struct dpcap_flow_match *match);
// The COUNT action of a rule that has one; else NULL.
const struct rte_flow_action *flow_rule_count(const struct flow_rule *rule);
