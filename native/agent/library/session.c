#include "agent/library/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/library/datapath/filter.h"
#include "agent/library/datapath/lane.h"
#include "agent/library/datapath/stream.h"
#include "agent/library/dpdk.h"

#define INSTRUCTION_BYTES 8u
#define MOST_MEMORY (UINT64_C(16) << 30)
#define MOST_SNAPLEN 262144u

struct session {
  struct memory memory;
  struct filter *rx_filter;
  struct filter *tx_filter;
  uint32_t lane_count;
  bool is_open;
  bool was_open;
  struct session_lane {
    struct stream stream;
    struct lane *lane;
    uint64_t refused_before;
    uint64_t detached;  // see lane_detach()
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
  if (size != sizeof *head + lane_bytes + instructions * INSTRUCTION_BYTES) return false;
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
static bool is_there(const struct dpcap_agent_lane *lane) {
  char name[RTE_ETH_NAME_MAX_LEN] = "";
  struct rte_eth_dev_info info;
  if (!dpdk.is_valid_port(lane->port) || dpdk.port_name(lane->port, name) != 0) return false;
  if (strcmp(name, lane->device) != 0 || dpdk.port_info(lane->port, &info) != 0) return false;
  return lane->queue < (lane->direction == DPCAP_AGENT_RX ? info.nb_rx_queues : info.nb_tx_queues);
}

static int make_filters(struct session *session, const struct order *order) {
  const uint32_t rx = order->head.rx_instructions, tx = order->head.tx_instructions;
  if (rx > 0) session->rx_filter = filter_make(order->programs, rx);
  if (tx > 0) session->tx_filter = filter_make(order->programs + (size_t)rx * INSTRUCTION_BYTES, tx);
  return (rx > 0 && session->rx_filter == NULL) || (tx > 0 && session->tx_filter == NULL) ? ENOMEM : 0;
}

static int make_lane(struct session *session, const struct order *order, uint32_t index) {
  const struct dpcap_agent_prepare *const head = &order->head;
  const struct dpcap_agent_lane *const wanted = &order->lanes[index];
  if (!is_there(wanted)) return ENODEV;
  struct session_lane *const made = &session->lanes[index];
  made->lane = lane_find(wanted->port, wanted->queue, wanted->direction);
  if (made->lane == NULL) return ENOMEM;
  struct stream *const stream = &made->stream;
  stream->kind = (struct record_kind){head->format,      head->nanoseconds != 0, head->snaplen,
                                      wanted->direction, wanted->queue,          wanted->interface};
  stream->filter = wanted->direction == DPCAP_AGENT_RX ? session->rx_filter : session->tx_filter;
  stream->segment_flags = session->memory.control;
  stream->data = session->memory.data;
  stream->segments = session->memory.segments;
  stream->segment_bytes = session->memory.segment_bytes;
  stream->shared = memory_lane(&session->memory, index);
  stream->bursts = memory_bursts(&session->memory, head->lane_count, index);
  stream->burst_mask = session->memory.bursts - 1;
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
  if (*err == 0) *err = make_filters(session, &order);
  for (uint32_t i = 0; i < order.head.lane_count && *err == 0; i++) *err = make_lane(session, &order, i);
  if (*err != 0) {
    session_free(session);
    return NULL;
  }
  session->lane_count = order.head.lane_count;
  return session;
}

const struct memory *session_memory(const struct session *session) { return &session->memory; }

int session_open(struct session *session) {
  session->is_open = true;
  for (uint32_t i = 0; i < session->lane_count; i++) {
    struct session_lane *const one = &session->lanes[i];
    one->refused_before = lane_refused(one->lane);
    const int err = lane_attach(one->lane, &one->stream);
    if (err != 0) return err;
  }
  return 0;
}

bool session_stop(struct session *session) {
  if (session->is_open) {
    session_watch(session);
    for (uint32_t i = 0; i < session->lane_count; i++) {
      struct session_lane *const one = &session->lanes[i];
      one->detached = lane_detach(one->lane, &one->stream);
    }
    session->is_open = false;
    session->was_open = true;
  }
  for (uint32_t i = 0; i < session->lane_count && session->was_open; i++) {
    if (!lane_has_left(session->lanes[i].lane, session->lanes[i].detached)) return false;
  }
  return true;
}

void session_watch(struct session *session) {
  for (uint32_t i = 0; i < session->lane_count && session->is_open; i++) {
    const struct session_lane *const one = &session->lanes[i];
    struct dpcap_agent_shared_lane *const shared = one->stream.shared;
    __atomic_store_n(&shared->refused, lane_refused(one->lane) - one->refused_before, __ATOMIC_RELAXED);
    if (lane_has_ended(one->lane)) __atomic_store_n(&shared->is_ended, 1, __ATOMIC_RELEASE);
  }
}

void session_free(struct session *session) {
  memory_free(&session->memory);
  filter_destroy(session->rx_filter);
  filter_destroy(session->tx_filter);
  free(session);
}
