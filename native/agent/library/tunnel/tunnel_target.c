#include "agent/library/tunnel/tunnel_target.h"

#include <assert.h>
#include <errno.h>
#include <rte_cycles.h>
#include <stdlib.h>
#include <string.h>

#include "agent/library/clock.h"
#include "agent/library/datapath/turn.h"
#include "agent/library/dpdk.h"
#include "agent/library/port/port_facts.h"
#include "agent/library/tunnel/learner.h"
#include "agent/library/tunnel/own_tunnels.h"
#include "agent/library/tunnel/rate_limit.h"
#include "agent/library/tunnel/tunnel_order.h"
#include "tunnel/big_endian.h"
#include "tunnel/wire.h"

static_assert(RTE_PKTMBUF_HEADROOM >=
                  DPCAP_VLAN_TAG + DPCAP_ETHERNET_HEAD + DPCAP_OUTER_MOST_IP + DPCAP_TUNNEL_MOST_HEAD,
              "the headers have room in front of a copy");

struct tunnel_target {
  struct mirror_target target;  // comes first
  struct mirror_target *queue;
  struct own_tunnel own;
  struct dpcap_mirror_tunnel order;
  struct rte_ether_addr source_mac;
  struct neighbour neighbour;
  struct learner learner;
  struct rate_limit rate;
  struct turn turn;   // so that the numbers are in the order of the packets
  uint32_t sequence;  // of the next packet; the turn's
  struct tunnel_target *next;
};

// Those that have ended: since the last lanes_mark(), and before it.
static struct tunnel_target *ended, *marked;
static unsigned int with_time;  // tunnels that are on and send the time

static uint32_t overhead_of(const struct own_tunnel *own) {
  return dpcap_outer_ip_size(&own->outer) + dpcap_tunnel_head_size(&own->tunnel);
}

static uint16_t admit(struct mirror_target *base, struct rte_mbuf **packets, uint16_t count,
                      struct mirror_left_out *left_out) {
  struct tunnel_target *const to = (struct tunnel_target *)base;
  uint8_t next_hop[NEIGHBOUR_MAC_BYTES];
  uint16_t others = 0;
  for (uint16_t i = 0; i < count; i++) {
    if (!own_tunnels_have(packets[i])) packets[others++] = packets[i];
  }
  left_out->own = (uint16_t)(count - others);
  if (!neighbour_mac(&to->neighbour, next_hop)) {
    left_out->unresolved = others;
    return 0;
  }
  const uint16_t wanted = rate_limit_take(&to->rate, rte_rdtsc(), others);
  left_out->limited = (uint16_t)(others - wanted);
  return wanted;
}

static void write_ethernet(const struct tunnel_target *to, uint8_t *out) {
  neighbour_mac(&to->neighbour, out);
  memcpy(out + NEIGHBOUR_MAC_BYTES, to->source_mac.addr_bytes, NEIGHBOUR_MAC_BYTES);
  dpcap_put16(out + DPCAP_ETHERNET_HEAD - 2, to->own.outer.is_ipv6 ? DPCAP_ETHER_IPV6 : DPCAP_ETHER_IPV4);
}

// A collector need not take UDP over IPv6 without a checksum.
static void write_checksum(const struct own_tunnel *own, uint32_t payload, uint8_t *udp) {
  if (own->tunnel.kind != DPCAP_VXLAN || !own->outer.is_ipv6) return;
  dpcap_put16(udp + 6, dpcap_outer_udp_checksum(&own->outer, udp, payload));
}

static void put_in_front(const struct tunnel_target *to, struct rte_mbuf *copy, const struct dpcap_tunnelled *what) {
  const struct own_tunnel *const own = &to->own;
  const uint8_t *const frame = rte_pktmbuf_mtod(copy, const uint8_t *);
  const uint32_t ip = dpcap_outer_ip_size(&own->outer), payload = dpcap_tunnel_head_size(&own->tunnel) + what->size;
  const uint32_t front = DPCAP_ETHERNET_HEAD + overhead_of(own);
  copy->data_off = (uint16_t)(copy->data_off - front);
  copy->data_len = (uint16_t)(copy->data_len + front);
  copy->pkt_len = copy->data_len;
  uint8_t *const out = rte_pktmbuf_mtod(copy, uint8_t *);
  write_ethernet(to, out);
  dpcap_outer_write_ip(&own->outer, dpcap_tunnel_protocol(own->tunnel.kind), payload, out + DPCAP_ETHERNET_HEAD);
  uint8_t *const head = out + DPCAP_ETHERNET_HEAD + ip;
  dpcap_tunnel_write_head(&own->tunnel, what, frame, head);
  write_checksum(own, payload, head);
}

static void encapsulate(struct tunnel_target *to, const struct mirror_burst *burst) {
  struct dpcap_tunnelled what = {.port = burst->port, .is_outgoing = burst->direction == DPCAP_AGENT_TX};
  if (to->own.tunnel.kind == DPCAP_ERSPAN_III) what.time_ns = clock_at(rte_rdtsc()).wall_ns;
  for (uint16_t i = 0; i < burst->count; i++) {
    what.size = burst->packets[i]->data_len;
    what.is_cut = (burst->shortened >> i & 1) != 0;
    what.sequence = to->sequence++;
    put_in_front(to, burst->packets[i], &what);
  }
}

// What the queue refuses has its number all the same: the collector sees that it is missing. Where another mirror has
// the queue's turn none is taken, and this mirror's own turn, which is not yet over, gives the numbers back.
static struct mirror_sent send_packets(struct mirror_target *base, const struct mirror_burst *burst) {
  struct tunnel_target *const to = (struct tunnel_target *)base;
  if (!turn_begin(&to->turn)) return (struct mirror_sent){0, true};
  encapsulate(to, burst);
  const struct mirror_sent sent = to->queue->send(to->queue, burst);
  if (sent.is_contended) to->sequence -= burst->count;
  turn_end(&to->turn);
  return sent;
}

static int begin_next_hop(struct tunnel_target *to, uint16_t port) {
  const struct dpcap_mirror_tunnel *const order = &to->order;
  neighbour_begin(&to->neighbour, to->own.outer.is_ipv6, order->neighbour);
  learner_begin(&to->learner, port, &to->neighbour);
  if ((order->flags & DPCAP_MIRROR_NEXT_HOP_GIVEN) == 0) return learner_follow(&to->learner);
  neighbour_set_mac(&to->neighbour, order->next_hop);
  return 0;
}

static void prepare(struct tunnel_target *to, const struct dpcap_mirror_tunnel *order, struct mirror_target *queue) {
  to->order = *order;
  to->own = tunnel_of_order(order);
  to->queue = queue;
  to->target.admit = admit;
  to->target.send = send_packets;
  to->target.pool = queue->pool;
  to->target.frame_bytes = order->mtu - overhead_of(&to->own);
  rate_limit_begin(&to->rate, order->most_rate, dpdk.tsc_hz(), rte_rdtsc());
}

int tunnel_target_begin(const struct dpcap_mirror_tunnel *order, uint16_t port, struct mirror_target *queue,
                        struct mirror_target **target) {
  if (order->mtu + DPCAP_ETHERNET_HEAD + PORT_TAGS_BYTES > queue->frame_bytes) return EMSGSIZE;
  struct tunnel_target *const to = calloc(1, sizeof *to);
  if (to == NULL) return ENOMEM;
  prepare(to, order, queue);
  int err = dpdk.mac(port, &to->source_mac) == 0 ? 0 : ENODEV;
  if (err == 0 && !own_tunnels_add(&to->own)) err = EADDRINUSE;
  if (err != 0) {
    free(to);
    return err;
  }
  with_time += to->own.tunnel.kind == DPCAP_ERSPAN_III;
  err = begin_next_hop(to, port);
  if (err != 0) {
    tunnel_target_end(&to->target);
    return err;
  }
  *target = &to->target;
  return 0;
}

void tunnel_target_watch(struct mirror_target *target) {
  struct tunnel_target *const to = (struct tunnel_target *)target;
  if ((to->order.flags & DPCAP_MIRROR_NEXT_HOP_GIVEN) == 0) learner_follow(&to->learner);
}

void tunnel_target_end(struct mirror_target *target) {
  struct tunnel_target *const to = (struct tunnel_target *)target;
  learner_end(&to->learner);
  own_tunnels_remove(&to->own);
  with_time -= to->own.tunnel.kind == DPCAP_ERSPAN_III;
  to->next = ended;
  ended = to;
}

void tunnel_target_describe(const struct mirror_target *target, struct dpcap_mirror_tunnel *tunnel) {
  const struct tunnel_target *const to = (const struct tunnel_target *)target;
  *tunnel = to->order;
  neighbour_mac(&to->neighbour, tunnel->next_hop);
}

bool tunnel_targets_need_clock(void) { return with_time > 0; }

static void free_all(struct tunnel_target *list) {
  while (list != NULL) {
    struct tunnel_target *const next = list->next;
    free(list);
    list = next;
  }
}

bool tunnel_targets_tick(void) {
  if (marked != NULL && lanes_have_left_mark()) {
    free_all(marked);
    marked = NULL;
  }
  if (marked == NULL && ended != NULL) {
    marked = ended;
    ended = NULL;
    lanes_mark();
  }
  return marked != NULL;
}

void tunnel_targets_forget(void) {
  ended = marked = NULL;
  with_time = 0;
  own_tunnels_forget();
}
