#include "agent/library/recorder/recorder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/library/datapath/filter.h"
#include "agent/library/datapath/lane.h"
#include "agent/library/datapath/stream.h"
#include "agent/library/dpdk.h"
#include "agent/library/recorder/box.h"
#include "agent/library/say.h"

struct recorded_lane {
  struct stream stream;
  struct lane *lane;
  bool is_attached;
  uint64_t contended_before;
  uint64_t detached;  // when: see lane_moment()
};

struct recorder {
  struct box box;
  struct filters filters;
  void *message;
  struct recorder_order order;  // points into the message
  bool has_told;                // that there is no room for more lanes
  uint32_t lane_count;
  struct recorded_lane lanes[DPCAP_BOX_LANES];
};

static int make_filters(struct recorder *recorder) {
  const struct dpcap_agent_recorder_order *const head = &recorder->order.head;
  return filters_make(&recorder->filters, recorder->order.programs, head->rx_instructions, head->tx_instructions);
}

struct recorder *recorder_make(const void *order, size_t bytes, const char *runtime_dir, int *err) {
  *err = ENOMEM;
  struct recorder *const recorder = calloc(1, sizeof *recorder);
  if (recorder == NULL) return NULL;
  recorder->box.file.fd = -1;
  recorder->message = malloc(bytes == 0 ? 1 : bytes);
  if (recorder->message != NULL) {
    memcpy(recorder->message, order, bytes);
    *err = recorder_order_read(recorder->message, bytes, &recorder->order) ? make_filters(recorder) : EINVAL;
    if (*err == 0) *err = box_make(&recorder->box, &recorder->order, runtime_dir);
    if (*err == 0) return recorder;
  }
  recorder_free(recorder);
  return NULL;
}

// The device's number among the interfaces: that of its other lanes, or the next one.
static uint32_t interface_of(const struct recorder *recorder, const char *device) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < recorder->lane_count; i++) {
    const struct dpcap_box_lane *const known = &recorder->box.lanes[i];
    const uint32_t interface = recorder->lanes[i].stream.kind.interface;
    if (strncmp(known->device, device, sizeof known->device) == 0) return interface;
    if (interface >= count) count = interface + 1;
  }
  return count;
}

static void describe_lane(struct dpcap_box_lane *out, const struct record_kind *kind, uint16_t port,
                          const char *device) {
  out->interface = kind->interface;
  out->direction = kind->direction;
  out->port = port;
  out->queue = (uint16_t)kind->queue;
  snprintf(out->device, sizeof out->device, "%s", device);
}

static struct recorded_lane *make_lane(struct recorder *recorder, struct lane *lane, uint16_t port,
                                       struct record_kind kind, const char *device) {
  const uint32_t number = recorder->lane_count;
  struct box *const box = &recorder->box;
  struct recorded_lane *const made = &recorder->lanes[number];
  kind.interface = interface_of(recorder, device);
  made->lane = lane;
  made->stream = (struct stream){
      .kind = kind,
      .filter = kind.direction == DPCAP_AGENT_RX ? recorder->filters.rx : recorder->filters.tx,
      .data = box->data,
      .segments = box->ring.segments,
      .segment_bytes = box->segment_bytes,
      .shared = &box->lanes[number].counters,
      .ring = &box->ring,
      .box_lane = &box->lanes[number],
      .box_number = number,
  };
  describe_lane(&box->lanes[number], &kind, port, device);
  recorder->lane_count = number + 1;
  __atomic_store_n(&box->header->lane_count, recorder->lane_count, __ATOMIC_RELEASE);
  return made;
}

// The lane that this place had before, of the same device: its records go on.
static struct recorded_lane *find_lane(struct recorder *recorder, const struct lane *lane, const char *device) {
  for (uint32_t i = 0; i < recorder->lane_count; i++) {
    if (recorder->lanes[i].lane == lane && strcmp(recorder->box.lanes[i].device, device) == 0)
      return &recorder->lanes[i];
  }
  return NULL;
}

static bool has_room_for(struct recorder *recorder, const char *device) {
  if (recorder->lane_count < DPCAP_BOX_LANES) return true;
  if (!recorder->has_told) agent_say("the recorder has as many queues as it can; those of %s are not recorded", device);
  recorder->has_told = true;
  return false;
}

// Returns whether there is such a queue. ethdev refuses a callback for one that the application has not set up, without
// a question to the driver, which the application may be about to close (rte_eth_add_first_rx_callback, 22.11
// to 25.11).
static bool record_queue(struct recorder *recorder, uint16_t port, uint16_t queue, uint32_t direction,
                         const char *device) {
  struct lane *const lane = lane_find(port, queue, direction);
  struct recorded_lane *one = lane == NULL ? NULL : find_lane(recorder, lane, device);
  if (lane == NULL || (one == NULL && !has_room_for(recorder, device)) || !lane_is_there(lane)) return false;
  if (one != NULL && (one->is_attached || !lane_has_left(lane, one->detached))) return true;
  if (one == NULL) {
    const struct record_kind kind = {DPCAP_AGENT_PCAPNG, true, recorder->order.head.snaplen, direction, queue, 0};
    one = make_lane(recorder, lane, port, kind, device);
  }
  one->contended_before = lane_contended(lane) - one->stream.shared->contended;
  one->is_attached = lane_attach(lane, &one->stream) == 0;
  return one->is_attached;
}

static void follow_ports(struct recorder *recorder) {
  for (uint16_t port = dpdk.next_port(0); port < RTE_MAX_ETHPORTS; port = dpdk.next_port(port + 1)) {
    char name[RTE_ETH_NAME_MAX_LEN] = "";
    if (dpdk.port_name(port, name) != 0 || !recorder_order_has(&recorder->order, name)) continue;
    for (uint32_t direction = DPCAP_AGENT_RX; direction <= DPCAP_AGENT_TX; direction++) {
      if ((recorder->order.head.directions & direction) == 0) continue;
      for (uint16_t queue = 0; queue < RTE_MAX_QUEUES_PER_PORT; queue++) {
        if (!record_queue(recorder, port, queue, direction, name)) break;
      }
    }
  }
}

static void detach(struct recorded_lane *one) {
  lane_detach(one->lane, &one->stream);
  one->detached = lane_moment(one->lane);
  one->is_attached = false;
}

// What an ended lane recorded may be overwritten when its turn comes, as all else.
static void leave_segment(struct recorder *recorder, struct recorded_lane *one) {
  if (!one->stream.has_segment || !lane_has_left(one->lane, one->detached)) return;
  box_ring_leave(&recorder->box.ring, one->stream.segment);
  one->stream.has_segment = false;
}

void recorder_watch(struct recorder *recorder) {
  for (uint32_t i = 0; i < recorder->lane_count; i++) {
    struct recorded_lane *const one = &recorder->lanes[i];
    struct dpcap_agent_shared_lane *const shared = one->stream.shared;
    if (!one->is_attached) {
      leave_segment(recorder, one);
      continue;
    }
    __atomic_store_n(&shared->contended, lane_contended(one->lane) - one->contended_before, __ATOMIC_RELAXED);
    const bool has_ended = lane_has_ended(one->lane, &one->stream);
    if (has_ended) detach(one);
    __atomic_store_n(&shared->ended, has_ended ? DPCAP_AGENT_PORT_GONE : DPCAP_AGENT_GOES_ON, __ATOMIC_RELEASE);
  }
  follow_ports(recorder);
}

bool recorder_stop(struct recorder *recorder) {
  bool is_outside = true;
  for (uint32_t i = 0; i < recorder->lane_count; i++) {
    if (recorder->lanes[i].is_attached) detach(&recorder->lanes[i]);
  }
  for (uint32_t i = 0; i < recorder->lane_count && is_outside; i++)
    is_outside = lane_has_left(recorder->lanes[i].lane, recorder->lanes[i].detached);
  return is_outside;
}

void recorder_free(struct recorder *recorder) {
  if (recorder->box.file.bytes != NULL) box_remove(&recorder->box);
  filters_destroy(&recorder->filters);
  free(recorder->message);
  free(recorder);
}

void recorder_describe(const struct recorder *recorder, struct dpcap_agent_recorder *out) {
  memset(out, 0, sizeof *out);
  for (uint32_t i = 0; i < recorder->lane_count; i++) out->lanes += recorder->lanes[i].is_attached;
  snprintf(out->path, sizeof out->path, "%.255s", recorder_path(recorder));
}

const char *recorder_path(const struct recorder *recorder) { return recorder->box.file.path; }

int recorder_fd(const struct recorder *recorder) { return recorder->box.file.fd; }
