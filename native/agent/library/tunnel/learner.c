#include "agent/library/tunnel/learner.h"

#include <errno.h>
#include <stdbool.h>

#include "agent/library/datapath/packet_bytes.h"

// A tag that the NIC has taken off is one all the same.
static bool is_tagged(const struct rte_mbuf *packet) {
  return (packet->ol_flags & (RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ_STRIPPED)) != 0;
}

static void look(struct tap *tap, struct rte_mbuf **packets, uint16_t count) {
  struct neighbour *const neighbour = ((struct learner_lane *)tap)->neighbour;
  for (uint16_t i = 0; i < count; i++) {
    if (is_tagged(packets[i])) continue;
    neighbour_look(neighbour, rte_pktmbuf_mtod(packets[i], const uint8_t *), packets[i]->data_len);
  }
}

void learner_begin(struct learner *learner, uint16_t port, struct neighbour *neighbour) {
  learner->port = port;
  learner->neighbour = neighbour;
  learner->lane_count = 0;
}

static bool has_lane(const struct learner *learner, const struct lane *lane) {
  for (uint32_t i = 0; i < learner->lane_count; i++) {
    if (learner->lanes[i].lane == lane) return true;
  }
  return false;
}

int learner_follow(struct learner *learner) {
  for (uint16_t queue = 0; queue < RTE_MAX_QUEUES_PER_PORT; queue++) {
    struct lane *const lane = lane_find(learner->port, queue, DPCAP_AGENT_RX);
    if (lane == NULL) return ENOMEM;
    if (has_lane(learner, lane)) continue;
    if (!lane_is_there(lane)) return 0;
    if (learner->lane_count == DPCAP_AGENT_MAX_LANES) return EUSERS;
    struct learner_lane *const one = &learner->lanes[learner->lane_count];
    *one = (struct learner_lane){{look, 0}, learner->neighbour, lane};
    const int err = lane_attach_tap(lane, &one->tap);
    if (err != 0) return err;
    learner->lane_count++;
  }
  return 0;
}

void learner_end(struct learner *learner) {
  for (uint32_t i = 0; i < learner->lane_count; i++) {
    lane_detach_tap(learner->lanes[i].lane, &learner->lanes[i].tap);
  }
}
