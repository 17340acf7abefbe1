#include "agent/library/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/library/datapath/filter.h"
#include "agent/library/datapath/lane.h"
#include "agent/library/datapath/stream.h"
#include "agent/library/dpdk.h"

#define MOST_MEMORY (UINT64_C(16) << 30)
#define MOST_SNAPLEN 262144u

struct session {
  struct memory memory;
  struct filters filters;
  struct filters before;  // those that were in place before, while they may be in use
  uint32_t lane_count;
  bool is_open;
  bool was_open;
  struct session_lane {
    struct stream stream;
    struct lane *lane;
    struct dpcap_agent_lane where;
    bool is_attached;
    uint64_t contended;
    uint64_t contended_before;  // what the lane had counted when this had counted nothing
    uint64_t detached;          // when: see lane_moment()
    uint64_t filtered;          // when it got its present filter
  } lanes[];
};

// The parts of a PREPARE message, whose sizes agree with its length.
struct order {
  struct dpcap_agent_prepare head;
  const struct dpcap_agent_lane *lanes;
  const uint8_t *programs;
};

static bool read_order(const void *bytes, size_t size, struct order *order) {
  if (size < sizeof order->head) return false;
  memcpy(&order->head, bytes, sizeof order->head);
  const struct dpcap_agent_prepare *const head = &order->head;
  if (head->lane_count == 0 || head->lane_count > DPCAP_AGENT_MAX_LANES) return false;
  if (head->format > DPCAP_AGENT_PCAPNG || head->snaplen == 0 || head->snaplen > MOST_SNAPLEN) return false;
  if (head->memory_bytes == 0 || head->memory_bytes > MOST_MEMORY) return false;
  const uint64_t instructions = (uint64_t)head->rx_instructions + head->tx_instructions;
  const uint64_t lane_bytes = head->lane_count * sizeof(struct dpcap_agent_lane);
  if (size != sizeof *head + lane_bytes + instructions * FILTER_INSTRUCTION_BYTES) return false;
  order->lanes = (const void *)((const uint8_t *)bytes + sizeof *head);
  order->programs = (const uint8_t *)order->lanes + lane_bytes;
  for (uint32_t i = 0; i < head->lane_count; i++) {
    const struct dpcap_agent_lane *const lane = &order->lanes[i];
    if (lane->direction != DPCAP_AGENT_RX && lane->direction != DPCAP_AGENT_TX) return false;
    if (memchr(lane->device, 0, sizeof lane->device) == NULL) return false;
  }
  return true;
}

// The client has seen this device in that place; another may be there by now.
static bool has_device(const struct dpcap_agent_lane *lane) {
  char name[RTE_ETH_NAME_MAX_LEN] = "";
  return dpdk.is_valid_port(lane->port) && dpdk.port_name(lane->port, name) == 0 && strcmp(name, lane->device) == 0;
}

static bool is_there(const struct dpcap_agent_lane *lane) {
  struct rte_eth_dev_info info;
  if (!has_device(lane) || dpdk.port_info(lane->port, &info) != 0) return false;
  return lane->queue < (lane->direction == DPCAP_AGENT_RX ? info.nb_rx_queues : info.nb_tx_queues);
}

static const struct filter *filter_of(const struct session *session, const struct session_lane *one) {
  return one->stream.kind.direction == DPCAP_AGENT_RX ? session->filters.rx : session->filters.tx;
}

static int make_lane(struct session *session, const struct order *order, uint32_t index) {
  const struct dpcap_agent_prepare *const head = &order->head;
  const struct dpcap_agent_lane *const wanted = &order->lanes[index];
  if (!is_there(wanted)) return ENODEV;
  struct session_lane *const made = &session->lanes[index];
  made->lane = lane_find(wanted->port, wanted->queue, wanted->direction);
  if (made->lane == NULL) return ENOMEM;
  made->where = *wanted;
  struct stream *const stream = &made->stream;
  stream->kind = (struct record_kind){head->format,      head->nanoseconds != 0, head->snaplen,
                                      wanted->direction, wanted->queue,          wanted->interface};
  stream->filter = filter_of(session, made);
  stream_use(stream, &session->memory, head->lane_count, index);
  return 0;
}

struct session *session_prepare(const void *bytes, size_t size, int *err) {
  struct order order;
  *err = EINVAL;
  if (!read_order(bytes, size, &order)) return NULL;
  *err = ENOMEM;
  struct session *const session = calloc(1, sizeof *session + order.head.lane_count * sizeof session->lanes[0]);
  if (session == NULL) return NULL;
  *err = memory_make(&session->memory, order.head.memory_bytes, order.head.lane_count);
  if (*err == 0)
    *err = filters_make(&session->filters, order.programs, order.head.rx_instructions, order.head.tx_instructions);
  for (uint32_t i = 0; i < order.head.lane_count && *err == 0; i++) *err = make_lane(session, &order, i);
  if (*err != 0) {
    session_free(session);
    return NULL;
  }
  session->lane_count = order.head.lane_count;
  return session;
}

const struct memory *session_memory(const struct session *session) { return &session->memory; }

static void detach(struct session_lane *one) {
  lane_detach(one->lane, &one->stream);
  one->detached = lane_moment(one->lane);
  one->is_attached = false;
}

// Returns 0 or an errno; a thread may be inside even then, for a moment.
static int attach(struct session_lane *one) {
  one->contended_before = lane_contended(one->lane) - one->contended;
  one->is_attached = true;
  const int err = lane_attach(one->lane, &one->stream);
  if (err != 0) detach(one);
  return err;
}

int session_open(struct session *session) {
  if (session->is_open) return EALREADY;
  session->is_open = true;
  for (uint32_t i = 0; i < session->lane_count; i++) {
    const int err = attach(&session->lanes[i]);
    if (err != 0) return err;
  }
  return 0;
}

// Frees the filters that were in place before, unless a thread may be in one of them. Returns whether they are gone.
static bool free_before(struct session *session) {
  if (session->before.rx == NULL && session->before.tx == NULL) return true;
  for (uint32_t i = 0; i < session->lane_count; i++) {
    if (!lane_has_left(session->lanes[i].lane, session->lanes[i].filtered)) return false;
  }
  filters_destroy(&session->before);
  return true;
}

int session_filter(struct session *session, const void *body, size_t bytes) {
  struct dpcap_agent_programs head;
  struct filters filters = {NULL, NULL};
  if (bytes < sizeof head) return EINVAL;
  memcpy(&head, body, sizeof head);
  const uint64_t instructions = (uint64_t)head.rx_instructions + head.tx_instructions;
  if (bytes != sizeof head + instructions * FILTER_INSTRUCTION_BYTES) return EINVAL;
  if (!free_before(session)) return EBUSY;
  const uint8_t *const programs = (const uint8_t *)body + sizeof head;
  const int err = filters_make(&filters, programs, head.rx_instructions, head.tx_instructions);
  if (err != 0) return err;
  session->before = session->filters;
  session->filters = filters;
  for (uint32_t i = 0; i < session->lane_count; i++) {
    struct session_lane *const one = &session->lanes[i];
    stream_set_filter(&one->stream, filter_of(session, one));
    one->filtered = lane_moment(one->lane);
  }
  return 0;
}

static void tell_contended(struct session_lane *one) {
  one->contended = lane_contended(one->lane) - one->contended_before;
  __atomic_store_n(&one->stream.shared->contended, one->contended, __ATOMIC_RELAXED);
}

bool session_stop(struct session *session) {
  if (session->is_open) {
    for (uint32_t i = 0; i < session->lane_count; i++) {
      struct session_lane *const one = &session->lanes[i];
      if (!one->is_attached) continue;
      tell_contended(one);
      detach(one);
    }
    session->is_open = false;
    session->was_open = true;
  }
  for (uint32_t i = 0; i < session->lane_count && session->was_open; i++) {
    if (!lane_has_left(session->lanes[i].lane, session->lanes[i].detached)) return false;
  }
  return true;
}

// A lane whose queue has gone is detached, so that packets of another port in its place are not taken for its own.
static void end_lane(struct session_lane *one) {
  detach(one);
  const bool has_port = lane_has_port(one->lane, &one->stream);
  __atomic_store_n(&one->stream.shared->ended, has_port ? DPCAP_AGENT_QUEUE_GONE : DPCAP_AGENT_PORT_GONE,
                   __ATOMIC_RELEASE);
}

// Goes on with a lane when the device is back in its place. The driver is not asked, which the application may be about
// to close.
static void revive_lane(struct session_lane *one) {
  if (!lane_has_left(one->lane, one->detached)) return;
  // A thread that was inside when the lane was detached has not said that it left.
  __atomic_store_n(&one->stream.shared->is_inside, 0, __ATOMIC_RELEASE);
  if (!has_device(&one->where) || !lane_is_there(one->lane)) return;
  if (attach(one) == 0) __atomic_store_n(&one->stream.shared->ended, DPCAP_AGENT_GOES_ON, __ATOMIC_RELEASE);
}

void session_watch(struct session *session) {
  free_before(session);
  for (uint32_t i = 0; i < session->lane_count && session->is_open; i++) {
    struct session_lane *const one = &session->lanes[i];
    if (!one->is_attached) {
      revive_lane(one);
      continue;
    }
    tell_contended(one);
    if (lane_has_ended(one->lane, &one->stream)) end_lane(one);
  }
}

static uint64_t load(const uint64_t *counter) { return __atomic_load_n(counter, __ATOMIC_RELAXED); }

void session_describe(const struct session *session, struct dpcap_agent_status *status) {
  memset(status, 0, sizeof *status);
  status->state = session->is_open    ? DPCAP_AGENT_CAPTURING
                  : session->was_open ? DPCAP_AGENT_ENDING
                                      : DPCAP_AGENT_PREPARED;
  status->lanes = session->lane_count;
  status->snaplen = session->lanes[0].stream.kind.snaplen;
  status->memory_bytes = session->memory.data_bytes;
  for (uint32_t i = 0; i < session->lane_count; i++) {
    const struct dpcap_agent_shared_lane *const shared = session->lanes[i].stream.shared;
    status->accepted += load(&shared->accepted);
    status->filtered += load(&shared->filtered);
    status->full += load(&shared->full);
    status->contended += session->lanes[i].contended;
  }
}

void session_free(struct session *session) {
  memory_free(&session->memory);
  filters_destroy(&session->filters);
  filters_destroy(&session->before);
  free(session);
}
