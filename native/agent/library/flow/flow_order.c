#include "agent/library/flow/flow_order.h"

#include <netinet/in.h>
#include <rte_config.h>
#include <string.h>

#define ALL_FLAGS ((uint32_t)(DPCAP_FLOW_TRANSFER | DPCAP_FLOW_COUNT | DPCAP_FLOW_VALIDATE_ONLY))

static bool ends(const char *device) { return memchr(device, 0, DPCAP_AGENT_DEVICE_BYTES) != NULL; }

static bool has_name(const char *device) { return device[0] != 0 && ends(device); }

static bool is_destination(const struct dpcap_flow_destination *to) {
  if (to->kind < DPCAP_FLOW_DROP || to->kind > DPCAP_FLOW_JUMP) return false;
  if (to->kind == DPCAP_FLOW_PORT) return to->value < RTE_MAX_ETHPORTS && has_name(to->device);
  return ends(to->device) && (to->kind != DPCAP_FLOW_QUEUE || to->value <= UINT16_MAX);
}

// A rule of the embedded switch ends in no queue, and one of a port's own receive side may not lead back into itself.
static bool agrees(const struct dpcap_flow_order *head) {
  const bool is_transfer = (head->flags & DPCAP_FLOW_TRANSFER) != 0;
  if (head->copy.kind != DPCAP_FLOW_QUEUE && head->copy.kind != DPCAP_FLOW_PORT) return false;
  if (is_transfer) return head->fate.kind != DPCAP_FLOW_QUEUE && head->copy.kind == DPCAP_FLOW_PORT;
  return head->source == head->through;
}

// A jump into group 0, where the rule itself is, would be a circle.
static bool is_sane(const struct dpcap_flow_order *head) {
  if (head->id == 0 || head->owner_pid == 0 || head->ratio == 0 || (head->flags & ~ALL_FLAGS) != 0) return false;
  if (head->lease_seconds == 0 || head->lease_seconds > DPCAP_MIRROR_MOST_LEASE) return false;
  if (head->rule_count == 0 || head->rule_count > DPCAP_FLOW_MOST_RULES) return false;
  if (head->text_bytes >= DPCAP_FLOW_TEXT_BYTES) return false;
  if (head->through >= RTE_MAX_ETHPORTS || head->source >= RTE_MAX_ETHPORTS) return false;
  if (!is_destination(&head->fate) || !is_destination(&head->copy) || !agrees(head)) return false;
  if (head->fate.kind == DPCAP_FLOW_JUMP && head->fate.value == 0) return false;
  return has_name(head->through_device) && has_name(head->source_device);
}

static bool is_match(const struct dpcap_flow_match *match) {
  const uint16_t both = DPCAP_FLOW_TAGGED | DPCAP_FLOW_UNTAGGED;
  if ((match->flags & ~both) != 0 || (match->flags & both) == both) return false;
  if (match->ip_version != 0 && match->ip_version != 4 && match->ip_version != 6) return false;
  if (match->ports_of == 0) return true;
  return match->ip_version != 0 &&
         (match->ports_of == IPPROTO_TCP || match->ports_of == IPPROTO_UDP || match->ports_of == IPPROTO_SCTP);
}

bool flow_order_read(const void *bytes, size_t size, struct flow_order *order) {
  if (size < sizeof order->head) return false;
  memset(order, 0, sizeof *order);
  memcpy(&order->head, bytes, sizeof order->head);
  const struct dpcap_flow_order *const head = &order->head;
  if (!is_sane(head)) return false;
  const size_t match_bytes = head->rule_count * sizeof order->matches[0];
  if (size != sizeof *head + match_bytes + head->text_bytes) return false;
  memcpy(order->matches, (const uint8_t *)bytes + sizeof *head, match_bytes);
  memcpy(order->text, (const uint8_t *)bytes + sizeof *head + match_bytes, head->text_bytes);
  for (uint32_t i = 0; i < head->rule_count; i++) {
    if (!is_match(&order->matches[i])) return false;
  }
  return true;
}
