#include "agent/library/flow/flow_mirror.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/library/dpdk.h"
#include "agent/library/flow/flow_rule.h"
#include "agent/library/flow/port_run.h"
#include "agent/library/mirror/lease.h"
#include "agent/library/port/port_facts.h"

// The ports besides that of the rules: the source, and those of the copies and of the originals.
#define MOST_OTHERS 3

struct flow_mirror {
  const struct flow_calls *calls;
  struct flow_order order;
  struct port_run run;  // of the port that has the rules
  struct port_run others[MOST_OTHERS];
  uint32_t other_count;
  struct lease lease;
  uint32_t made;
  struct rte_flow *rules[DPCAP_FLOW_MOST_RULES];
};

static int refuse(struct dpcap_flow_refusal *refusal, uint32_t step, uint32_t rule, int err,
                  const struct rte_flow_error *error) {
  memset(refusal, 0, sizeof *refusal);
  refusal->step = step;
  refusal->rule = rule;
  refusal->type = (uint32_t)error->type;
  if (error->message != NULL) snprintf(refusal->message, sizeof refusal->message, "%s", error->message);
  return err > 0 ? err : EIO;
}

static bool is_there(const struct dpcap_flow_destination *to) {
  return to->kind != DPCAP_FLOW_PORT || port_has_device((uint16_t)to->value, to->device);
}

static int check_ports(const struct dpcap_flow_order *head) {
  if (!port_has_device(head->through, head->through_device)) return ENODEV;
  if (!port_has_device(head->source, head->source_device)) return ENODEV;
  return is_there(&head->fate) && is_there(&head->copy) ? 0 : ENODEV;
}

static int watch_other(struct flow_mirror *mirror, uint16_t port) {
  if (port == mirror->run.port) return 0;
  return port_run_begin(&mirror->others[mirror->other_count++], port);
}

// From here on it shows when a port is stopped, even while the rules are made.
static int watch_ports(struct flow_mirror *mirror, uint16_t proxy) {
  const struct dpcap_flow_order *const head = &mirror->order.head;
  int err = port_run_begin(&mirror->run, proxy);
  if (err == 0) err = watch_other(mirror, head->source);
  if (err == 0 && head->copy.kind == DPCAP_FLOW_PORT) err = watch_other(mirror, (uint16_t)head->copy.value);
  if (err == 0 && head->fate.kind == DPCAP_FLOW_PORT) err = watch_other(mirror, (uint16_t)head->fate.value);
  return err;
}

// Rules of the embedded switch are made at the port that has the right to.
static int pick_proxy(const struct flow_mirror *mirror, uint16_t *proxy, struct dpcap_flow_refusal *refusal) {
  struct rte_flow_error error = {0};
  *proxy = mirror->order.head.through;
  if ((mirror->order.head.flags & DPCAP_FLOW_TRANSFER) == 0) return 0;
  const int err = mirror->calls->pick_transfer_proxy(mirror->order.head.through, proxy, &error);
  if (err != 0) return refuse(refusal, DPCAP_FLOW_PICK_PROXY, 0, -err, &error);
  return *proxy < RTE_MAX_ETHPORTS ? 0 : ENODEV;
}

static int validate_all(const struct flow_mirror *mirror, struct dpcap_flow_refusal *refusal) {
  for (uint32_t i = 0; i < mirror->order.head.rule_count; i++) {
    struct flow_rule rule;
    struct rte_flow_error error = {0};
    flow_rule_make(&rule, &mirror->order.head, &mirror->order.matches[i]);
    const int err = mirror->calls->validate(mirror->run.port, &rule.attr, rule.items, rule.actions, &error);
    if (err != 0) return refuse(refusal, DPCAP_FLOW_VALIDATE, i, -err, &error);
  }
  return 0;
}

static int create_all(struct flow_mirror *mirror, struct dpcap_flow_refusal *refusal) {
  while (mirror->made < mirror->order.head.rule_count) {
    struct flow_rule rule;
    struct rte_flow_error error = {0};
    flow_rule_make(&rule, &mirror->order.head, &mirror->order.matches[mirror->made]);
    struct rte_flow *const one = mirror->calls->create(mirror->run.port, &rule.attr, rule.items, rule.actions, &error);
    if (one == NULL) return refuse(refusal, DPCAP_FLOW_CREATE, mirror->made, mirror->calls->last_error(), &error);
    mirror->rules[mirror->made++] = one;
  }
  return 0;
}

static int make(struct flow_mirror *mirror, struct dpcap_flow_refusal *refusal) {
  uint16_t proxy = 0;
  int err = check_ports(&mirror->order.head);
  if (err == 0) err = pick_proxy(mirror, &proxy, refusal);
  if (err == 0) err = watch_ports(mirror, proxy);
  if (err == 0) err = validate_all(mirror, refusal);
  const bool is_only_asked = (mirror->order.head.flags & DPCAP_FLOW_VALIDATE_ONLY) != 0;
  return err != 0 || is_only_asked ? err : create_all(mirror, refusal);
}

struct flow_mirror *flow_mirror_begin(const struct flow_calls *calls, const struct flow_order *order, int *err,
                                      struct dpcap_flow_refusal *refusal, struct dpcap_flow_status *status) {
  struct dpcap_flow_refusal unheard;  // what is wrong comes before what goes wrong while that is undone
  memset(refusal, 0, sizeof *refusal);
  struct flow_mirror *const mirror = calloc(1, sizeof *mirror);
  *err = ENOMEM;
  if (mirror == NULL) return NULL;
  mirror->calls = calls;
  mirror->order = *order;
  flow_mirror_renew(mirror, order->head.lease_seconds);
  *err = make(mirror, refusal);
  if (*err == 0) {
    flow_mirror_describe(mirror, status);
    flow_mirror_count(mirror, status);
  }
  // One that the driver does not take back stays a mirror, whose lease is over: it is tried again.
  if (*err != 0 && flow_mirror_end(mirror, &unheard) != 0) mirror->lease.ends_ns = 0;
  if (mirror->made > 0) return mirror;
  flow_mirror_free(mirror);
  return NULL;
}

uint32_t flow_mirror_watch(const struct flow_mirror *mirror) {
  if (!port_run_goes_on(&mirror->run)) return DPCAP_FLOW_PORT_STOPPED;
  for (uint32_t i = 0; i < mirror->other_count; i++) {
    if (!port_run_goes_on(&mirror->others[i])) return DPCAP_FLOW_OTHERS_STOPPED;
  }
  return lease_is_over(&mirror->lease) ? DPCAP_FLOW_LEASE_OVER : 0;
}

void flow_mirror_renew(struct flow_mirror *mirror, uint32_t lease_seconds) {
  lease_renew(&mirror->lease, lease_seconds);
}

bool flow_mirror_is_of(const struct flow_mirror *mirror, uint32_t owner_pid, uint64_t owner_start_ticks) {
  return mirror->order.head.owner_pid == owner_pid && mirror->order.head.owner_start_ticks == owner_start_ticks;
}

uint32_t flow_mirror_id(const struct flow_mirror *mirror) { return mirror->order.head.id; }

int flow_mirror_end(struct flow_mirror *mirror, struct dpcap_flow_refusal *refusal) {
  while (mirror->made > 0) {
    const uint32_t last = mirror->made - 1;
    struct rte_flow_error error = {0};
    if (!port_run_goes_on(&mirror->run)) {
      mirror->made = 0;
      return 0;
    }
    const int err = mirror->calls->destroy(mirror->run.port, mirror->rules[last], &error);
    if (err != 0) return refuse(refusal, DPCAP_FLOW_DESTROY, last, -err, &error);
    mirror->made = last;
  }
  return 0;
}

void flow_mirror_free(struct flow_mirror *mirror) { free(mirror); }

// Only where all rules tell: part of a sum would be taken for the whole.
void flow_mirror_count(const struct flow_mirror *mirror, struct dpcap_flow_status *status) {
  const struct dpcap_flow_order *const head = &mirror->order.head;
  if ((head->flags & DPCAP_FLOW_COUNT) == 0 || mirror->made < head->rule_count) return;
  uint64_t packets = 0, bytes = 0;
  for (uint32_t i = 0; i < mirror->made; i++) {
    struct flow_rule rule;
    struct rte_flow_error error = {0};
    struct rte_flow_query_count counted = {0};
    flow_rule_make(&rule, head, &mirror->order.matches[i]);
    if (!port_run_goes_on(&mirror->run)) return;
    if (mirror->calls->query(mirror->run.port, mirror->rules[i], flow_rule_count(&rule), &counted, &error) != 0) return;
    packets += counted.hits;
    bytes += counted.bytes;
  }
  status->has_counters = 1;
  status->packets = packets;
  status->bytes = bytes;
}

void flow_mirror_describe(const struct flow_mirror *mirror, struct dpcap_flow_status *status) {
  const struct dpcap_flow_order *const head = &mirror->order.head;
  memset(status, 0, sizeof *status);
  status->id = head->id;
  status->owner_pid = head->owner_pid;
  status->owner_start_ticks = head->owner_start_ticks;
  status->lease_left = lease_left(&mirror->lease);
  status->flags = head->flags;
  status->ratio = head->ratio;
  status->rule_count = head->rule_count;
  status->through = head->through;
  status->source = head->source;
  status->proxy = mirror->run.port;
  status->fate = head->fate;
  status->copy = head->copy;
  memcpy(status->through_device, head->through_device, sizeof status->through_device);
  memcpy(status->source_device, head->source_device, sizeof status->source_device);
  memcpy(status->text, mirror->order.text, sizeof status->text);
}
