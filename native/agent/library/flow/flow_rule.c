#include "agent/library/flow/flow_rule.h"

#include <netinet/in.h>
#include <rte_byteorder.h>
#include <stdbool.h>
#include <string.h>

static bool is_any(const void *mask, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) {
    if (((const uint8_t *)mask)[i] != 0) return true;
  }
  return false;
}

// An item whose mask is all zeros goes without spec and mask: drivers take that for any packet of the protocol.
static struct rte_flow_item item_of(enum rte_flow_item_type type, const void *spec, const void *mask, size_t bytes) {
  struct rte_flow_item item = {.type = type};
  if (is_any(mask, bytes)) {
    item.spec = spec;
    item.mask = mask;
  }
  return item;
}

static struct rte_flow_item represented_item(struct flow_rule *rule, uint16_t port) {
  rule->spec.represented.port_id = port;
  rule->mask.represented.port_id = UINT16_MAX;
  return item_of(RTE_FLOW_ITEM_TYPE_REPRESENTED_PORT, &rule->spec.represented, &rule->mask.represented,
                 sizeof rule->mask.represented);
}

static struct rte_flow_item eth_item(struct flow_rule *rule, const struct dpcap_flow_match *match) {
  struct rte_flow_item_eth *const spec = &rule->spec.eth, *const mask = &rule->mask.eth;
  memcpy(spec->hdr.src_addr.addr_bytes, match->source_mac, RTE_ETHER_ADDR_LEN);
  memcpy(mask->hdr.src_addr.addr_bytes, match->source_mac_mask, RTE_ETHER_ADDR_LEN);
  memcpy(spec->hdr.dst_addr.addr_bytes, match->target_mac, RTE_ETHER_ADDR_LEN);
  memcpy(mask->hdr.dst_addr.addr_bytes, match->target_mac_mask, RTE_ETHER_ADDR_LEN);
  // Behind a tag the type is the VLAN item's.
  if ((match->flags & DPCAP_FLOW_TAGGED) == 0) {
    spec->hdr.ether_type = rte_cpu_to_be_16(match->ether_type);
    mask->hdr.ether_type = rte_cpu_to_be_16(match->ether_type_mask);
  }
  mask->has_vlan = (match->flags & DPCAP_FLOW_UNTAGGED) != 0;
  return item_of(RTE_FLOW_ITEM_TYPE_ETH, spec, mask, sizeof *mask);
}

static struct rte_flow_item vlan_item(struct flow_rule *rule, const struct dpcap_flow_match *match) {
  struct rte_flow_item_vlan *const spec = &rule->spec.vlan, *const mask = &rule->mask.vlan;
  spec->hdr.vlan_tci = rte_cpu_to_be_16(match->vlan_tci);
  mask->hdr.vlan_tci = rte_cpu_to_be_16(match->vlan_tci_mask);
  spec->hdr.eth_proto = rte_cpu_to_be_16(match->ether_type);
  mask->hdr.eth_proto = rte_cpu_to_be_16(match->ether_type_mask);
  return item_of(RTE_FLOW_ITEM_TYPE_VLAN, spec, mask, sizeof *mask);
}

static struct rte_flow_item ipv4_item(struct flow_rule *rule, const struct dpcap_flow_match *match) {
  struct rte_flow_item_ipv4 *const spec = &rule->spec.ip.v4, *const mask = &rule->mask.ip.v4;
  memcpy(&spec->hdr.src_addr, match->source_ip, sizeof spec->hdr.src_addr);
  memcpy(&mask->hdr.src_addr, match->source_ip_mask, sizeof mask->hdr.src_addr);
  memcpy(&spec->hdr.dst_addr, match->target_ip, sizeof spec->hdr.dst_addr);
  memcpy(&mask->hdr.dst_addr, match->target_ip_mask, sizeof mask->hdr.dst_addr);
  spec->hdr.next_proto_id = match->protocol;
  mask->hdr.next_proto_id = match->protocol_mask;
  return item_of(RTE_FLOW_ITEM_TYPE_IPV4, spec, mask, sizeof *mask);
}

// The addresses are arrays of bytes until 24.07, and structures of one from 24.11 on.
static struct rte_flow_item ipv6_item(struct flow_rule *rule, const struct dpcap_flow_match *match) {
  struct rte_flow_item_ipv6 *const spec = &rule->spec.ip.v6, *const mask = &rule->mask.ip.v6;
  memcpy(&spec->hdr.src_addr, match->source_ip, sizeof spec->hdr.src_addr);
  memcpy(&mask->hdr.src_addr, match->source_ip_mask, sizeof mask->hdr.src_addr);
  memcpy(&spec->hdr.dst_addr, match->target_ip, sizeof spec->hdr.dst_addr);
  memcpy(&mask->hdr.dst_addr, match->target_ip_mask, sizeof mask->hdr.dst_addr);
  spec->hdr.proto = match->protocol;
  mask->hdr.proto = match->protocol_mask;
  return item_of(RTE_FLOW_ITEM_TYPE_IPV6, spec, mask, sizeof *mask);
}

// The headers of TCP, UDP and SCTP begin with their two ports.
static struct rte_flow_item transport_item(struct flow_rule *rule, const struct dpcap_flow_match *match) {
  const rte_be16_t spec[2] = {rte_cpu_to_be_16(match->source_port), rte_cpu_to_be_16(match->target_port)};
  const rte_be16_t mask[2] = {rte_cpu_to_be_16(match->source_port_mask), rte_cpu_to_be_16(match->target_port_mask)};
  memcpy(&rule->spec.l4, spec, sizeof spec);
  memcpy(&rule->mask.l4, mask, sizeof mask);
  const enum rte_flow_item_type type = match->ports_of == IPPROTO_TCP   ? RTE_FLOW_ITEM_TYPE_TCP
                                       : match->ports_of == IPPROTO_UDP ? RTE_FLOW_ITEM_TYPE_UDP
                                                                        : RTE_FLOW_ITEM_TYPE_SCTP;
  return item_of(type, &rule->spec.l4, &rule->mask.l4, sizeof mask);
}

static void add_items(struct flow_rule *rule, const struct dpcap_flow_order *order,
                      const struct dpcap_flow_match *match) {
  struct rte_flow_item *item = rule->items;
  if ((order->flags & DPCAP_FLOW_TRANSFER) != 0) *item++ = represented_item(rule, order->source);
  *item++ = eth_item(rule, match);
  if ((match->flags & DPCAP_FLOW_TAGGED) != 0) *item++ = vlan_item(rule, match);
  if (match->ip_version != 0) *item++ = match->ip_version == 4 ? ipv4_item(rule, match) : ipv6_item(rule, match);
  if (match->ports_of != 0) *item++ = transport_item(rule, match);
  item->type = RTE_FLOW_ITEM_TYPE_END;
}

static struct rte_flow_action exit_action(struct flow_exit *exit, const struct dpcap_flow_destination *to) {
  switch (to->kind) {
    case DPCAP_FLOW_QUEUE:
      exit->conf.queue.index = (uint16_t)to->value;
      return (struct rte_flow_action){RTE_FLOW_ACTION_TYPE_QUEUE, &exit->conf.queue};
    case DPCAP_FLOW_PORT:
      exit->conf.port.port_id = (uint16_t)to->value;
      return (struct rte_flow_action){RTE_FLOW_ACTION_TYPE_REPRESENTED_PORT, &exit->conf.port};
    case DPCAP_FLOW_JUMP:
      exit->conf.jump.group = to->value;
      return (struct rte_flow_action){RTE_FLOW_ACTION_TYPE_JUMP, &exit->conf.jump};
    default:
      return (struct rte_flow_action){RTE_FLOW_ACTION_TYPE_DROP, NULL};
  }
}

static void add_actions(struct flow_rule *rule, const struct dpcap_flow_order *order) {
  struct rte_flow_action *action = rule->actions;
  rule->copy_actions[0] = exit_action(&rule->copy, &order->copy);
  rule->copy_actions[1].type = RTE_FLOW_ACTION_TYPE_END;
  rule->sample.ratio = order->ratio;
  rule->sample.actions = rule->copy_actions;
  *action++ = (struct rte_flow_action){RTE_FLOW_ACTION_TYPE_SAMPLE, &rule->sample};
  if ((order->flags & DPCAP_FLOW_COUNT) != 0)
    *action++ = (struct rte_flow_action){RTE_FLOW_ACTION_TYPE_COUNT, &rule->count};
  *action++ = exit_action(&rule->fate, &order->fate);
  action->type = RTE_FLOW_ACTION_TYPE_END;
}

void flow_rule_make(struct flow_rule *rule, const struct dpcap_flow_order *order,
                    const struct dpcap_flow_match *match) {
  memset(rule, 0, sizeof *rule);
  rule->attr.transfer = (order->flags & DPCAP_FLOW_TRANSFER) != 0;
  rule->attr.ingress = !rule->attr.transfer;
  add_items(rule, order, match);
  add_actions(rule, order);
}

const struct rte_flow_action *flow_rule_count(const struct flow_rule *rule) {
  for (const struct rte_flow_action *action = rule->actions; action->type != RTE_FLOW_ACTION_TYPE_END; action++) {
    if (action->type == RTE_FLOW_ACTION_TYPE_COUNT) return action;
  }
  return NULL;
}
