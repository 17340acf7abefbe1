#include "agent/library/mirror/mirror.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/library/datapath/filter.h"
#include "agent/library/datapath/lane.h"
#include "agent/library/dpdk.h"
#include "agent/library/mirror/lease.h"
#include "agent/library/mirror/port_target.h"
#include "agent/library/mirror/tee.h"
#include "agent/library/port/port_facts.h"
#include "agent/library/tunnel/tunnel_target.h"

// A driver with this offload gives mbufs back without a look at their reference counts: on whatever port the
// application sends what is shared, also one that it starts later.
#define UNSHARED_OFFLOAD RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE

struct mirrored_lane {
  struct tee tee;
  struct lane *lane;
  uint64_t missed_before;  // what the lane had counted when this had counted nothing
  uint64_t detached;       // when: see lane_moment()
};

struct mirror {
  struct dpcap_mirror_order order;
  struct mirror_target *queue;   // of the target port
  struct mirror_target *tunnel;  // NULL: the copies go to the queue as they are
  char filter[DPCAP_MIRROR_FILTER_BYTES];
  struct filters filters;
  struct tee_kind kind;
  struct lease lease;
  bool is_stopped;
  uint32_t lane_count;
  struct mirrored_lane lanes[DPCAP_AGENT_MAX_LANES];
};

static int attach(struct mirror *mirror, struct lane *lane, uint32_t direction) {
  struct mirrored_lane *const one = &mirror->lanes[mirror->lane_count];
  const struct filter *const filter = direction == DPCAP_AGENT_RX ? mirror->filters.rx : mirror->filters.tx;
  tee_begin(&one->tee, &mirror->kind, filter, direction);
  one->lane = lane;
  one->missed_before = lane_contended(lane);
  const int err = lane_attach_tap(lane, &one->tee.tap);
  if (err == 0) mirror->lane_count++;
  return err;
}

static bool has_lane(const struct mirror *mirror, const struct lane *lane) {
  for (uint32_t i = 0; i < mirror->lane_count; i++) {
    if (mirror->lanes[i].lane == lane) return true;
  }
  return false;
}

// ethdev refuses a callback for a queue that is not there, without a question to the driver.
static int follow_queues(struct mirror *mirror, uint32_t direction) {
  for (uint16_t queue = 0; queue < RTE_MAX_QUEUES_PER_PORT; queue++) {
    struct lane *const lane = lane_find(mirror->order.source_port, queue, direction);
    if (lane == NULL) return ENOMEM;
    if (has_lane(mirror, lane)) continue;
    if (!lane_is_there(lane)) return 0;
    if (mirror->lane_count == DPCAP_AGENT_MAX_LANES) return EUSERS;
    const int err = attach(mirror, lane, direction);
    if (err != 0) return err;
  }
  return 0;
}

static int follow(struct mirror *mirror) {
  int err = 0;
  for (uint32_t direction = DPCAP_AGENT_RX; direction <= DPCAP_AGENT_TX && err == 0; direction++) {
    if ((mirror->order.directions & direction) != 0) err = follow_queues(mirror, direction);
  }
  return err;
}

static bool is_by_reference(const struct dpcap_mirror_order *order) {
  return (order->flags & DPCAP_MIRROR_BY_REFERENCE) != 0;
}

static int check_ports(const struct dpcap_mirror_order *order) {
  if (!port_has_device(order->source_port, order->source_device)) return ENODEV;
  if (!port_has_device(order->target_port, order->target_device)) return ENODEV;
  return is_by_reference(order) && port_any_offloads(UNSHARED_OFFLOAD) ? EOPNOTSUPP : 0;
}

static struct tee_kind kind_of(const struct dpcap_mirror_order *order, struct mirror_target *target) {
  return (struct tee_kind){
      target,          order->snaplen,    is_by_reference(order), (order->flags & DPCAP_MIRROR_PUSH_VLAN) != 0,
      order->vlan_tci, order->source_port};
}

// A queue that the source sends on as well would be sent on from its own callback.
static bool is_queue_alone(const struct dpcap_mirror_order *order) {
  return is_by_reference(order) || order->source_port == order->target_port;
}

static int open_target(struct mirror *mirror, const struct mirror_order *asked) {
  struct dpcap_mirror_order *const order = &mirror->order;
  struct mirror_target *queue = NULL;
  int err = port_target_use(order->target_port, order->target_queue, is_queue_alone(order), &queue);
  if (err != 0) return err;
  mirror->queue = queue;
  order->target_queue = port_target_queue(queue);
  if (asked->has_tunnel) err = tunnel_target_begin(&asked->tunnel, order->target_port, queue, &mirror->tunnel);
  if (err != 0) return err;
  mirror->kind = kind_of(order, mirror->tunnel == NULL ? queue : mirror->tunnel);
  return 0;
}

struct mirror *mirror_begin(const struct mirror_order *order, int *err) {
  *err = check_ports(&order->head);
  if (*err != 0) return NULL;
  struct mirror *const mirror = calloc(1, sizeof *mirror);
  *err = ENOMEM;
  if (mirror == NULL) return NULL;
  mirror->order = order->head;
  memcpy(mirror->filter, order->filter, order->head.filter_bytes);
  *err = filters_make(&mirror->filters, order->programs, order->head.rx_instructions, order->head.tx_instructions);
  if (*err == 0) *err = open_target(mirror, order);
  if (*err == 0) *err = follow(mirror);
  if (*err == 0 && mirror->lane_count == 0) *err = ENODEV;
  mirror_renew(mirror, order->head.lease_seconds);
  return mirror;
}

uint32_t mirror_watch(struct mirror *mirror) {
  if (lease_is_over(&mirror->lease)) return DPCAP_MIRROR_LEASE_OVER;
  // All lanes are of one port, and its first queue is the last to go.
  if (lane_tap_has_ended(mirror->lanes[0].lane, &mirror->lanes[0].tee.tap)) return DPCAP_MIRROR_SOURCE_GONE;
  const uint32_t fault = port_target_fault(mirror->queue);
  if (fault != 0) return fault;
  if (is_by_reference(&mirror->order) && port_any_sends_with(UNSHARED_OFFLOAD)) return DPCAP_MIRROR_FAST_FREE;
  follow(mirror);
  if (mirror->tunnel != NULL) tunnel_target_watch(mirror->tunnel);
  return 0;
}

void mirror_renew(struct mirror *mirror, uint32_t lease_seconds) { lease_renew(&mirror->lease, lease_seconds); }

bool mirror_is_of(const struct mirror *mirror, uint32_t owner_pid, uint64_t owner_start_ticks) {
  return mirror->order.owner_pid == owner_pid && mirror->order.owner_start_ticks == owner_start_ticks;
}

bool mirror_stop(struct mirror *mirror) {
  for (uint32_t i = 0; i < mirror->lane_count && !mirror->is_stopped; i++) {
    struct mirrored_lane *const one = &mirror->lanes[i];
    lane_detach_tap(one->lane, &one->tee.tap);
    one->tee.counters.missed = lane_contended(one->lane) - one->missed_before;
    one->detached = lane_moment(one->lane);
  }
  mirror->is_stopped = true;
  for (uint32_t i = 0; i < mirror->lane_count; i++) {
    if (!lane_has_left(mirror->lanes[i].lane, mirror->lanes[i].detached)) return false;
  }
  return true;
}

void mirror_free(struct mirror *mirror) {
  if (mirror->tunnel != NULL) tunnel_target_end(mirror->tunnel);
  if (mirror->queue != NULL) port_target_leave(mirror->queue);
  filters_destroy(&mirror->filters);
  free(mirror);
}

static void add_counters(const struct mirror *mirror, struct dpcap_mirror_report *report) {
  for (uint32_t i = 0; i < mirror->lane_count; i++) {
    const struct mirrored_lane *const one = &mirror->lanes[i];
    tee_add_counters(&one->tee, &report->mirror.counters);
    tee_add_left_out(&one->tee, &report->counters);
    if (!mirror->is_stopped) report->mirror.counters.missed += lane_contended(one->lane) - one->missed_before;
  }
}

static void describe_order(const struct mirror *mirror, struct dpcap_mirror_status *status) {
  const struct dpcap_mirror_order *const order = &mirror->order;
  status->id = order->id;
  status->owner_pid = order->owner_pid;
  status->owner_start_ticks = order->owner_start_ticks;
  status->directions = order->directions;
  status->snaplen = order->snaplen;
  status->flags = order->flags | (mirror->tunnel != NULL ? DPCAP_MIRROR_TUNNEL : 0);
  status->source_port = order->source_port;
  status->target_port = order->target_port;
  status->target_queue = order->target_queue;
  status->vlan_tci = order->vlan_tci;
  memcpy(status->source_device, order->source_device, sizeof status->source_device);
  memcpy(status->target_device, order->target_device, sizeof status->target_device);
  memcpy(status->filter, mirror->filter, sizeof status->filter);
}

void mirror_describe(const struct mirror *mirror, struct dpcap_mirror_report *report) {
  memset(report, 0, sizeof *report);
  describe_order(mirror, &report->mirror);
  report->mirror.state = mirror->is_stopped ? DPCAP_MIRROR_ENDING : DPCAP_MIRROR_ON;
  report->mirror.lease_left = lease_left(&mirror->lease);
  report->mirror.lanes = mirror->lane_count;
  if (mirror->tunnel != NULL) tunnel_target_describe(mirror->tunnel, &report->tunnel);
  add_counters(mirror, report);
}

uint32_t mirror_id(const struct mirror *mirror) { return mirror->order.id; }
