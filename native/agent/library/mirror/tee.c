#include "agent/library/mirror/tee.h"

#include <string.h>

#include "agent/library/datapath/packet_bytes.h"

#define CHUNK MIRROR_BURST  // packets that a filter is run on, and that are sent, at once

// This thread alone counts here; others read.
static void count(uint64_t *counter, uint64_t packets) {
  __atomic_store_n(counter, *counter + packets, __ATOMIC_RELAXED);
}

// An 802.1Q tag behind the MAC addresses, in the copy's headroom. What is too short to be a frame has no place for it.
static void push_tag(struct rte_mbuf *copy, uint16_t tci) {
  if (copy->data_len < PACKET_MAC_BYTES) return;
  copy->data_off = (uint16_t)(copy->data_off - PACKET_TAG_BYTES);
  copy->data_len = (uint16_t)(copy->data_len + PACKET_TAG_BYTES);
  copy->pkt_len = copy->data_len;
  uint8_t *const front = rte_pktmbuf_mtod(copy, uint8_t *);
  memmove(front, front + PACKET_TAG_BYTES, PACKET_MAC_BYTES);
  packet_write_tag(front + PACKET_MAC_BYTES, RTE_ETHER_TYPE_VLAN, tci);
}

struct shortening {
  bool is_shorter;  // than the packet
  bool is_cut;      // because the target's longest frame is shorter than what was asked for
};

static struct shortening copy_packet(const struct tee *tee, const struct rte_mbuf *packet, struct rte_mbuf *copy) {
  const struct tee_kind *const kind = tee->kind;
  const uint32_t length = packet_length(tee->direction, packet);
  const uint32_t wanted = length < kind->snaplen ? length : kind->snaplen;
  const uint32_t room = kind->target->frame_bytes - (kind->has_vlan ? PACKET_TAG_BYTES : 0);
  const uint32_t size = wanted < room ? wanted : room;
  packet_copy(tee->direction, packet, size, rte_pktmbuf_mtod(copy, uint8_t *));
  copy->data_len = (uint16_t)size;
  copy->pkt_len = size;
  if (kind->has_vlan) push_tag(copy, kind->vlan_tci);
  return (struct shortening){size < length, size < wanted};
}

static uint16_t copy_packets(struct tee *tee, struct rte_mbuf **packets, uint16_t wanted, struct mirror_burst *burst) {
  const uint16_t made = copy_pool_take(&tee->kind->target->pool, burst->packets, wanted);
  uint16_t cut = 0;
  for (uint16_t i = 0; i < made; i++) {
    const struct shortening one = copy_packet(tee, packets[i], burst->packets[i]);
    burst->shortened |= (uint64_t)one.is_shorter << i;
    cut += one.is_cut;
  }
  count(&tee->counters.cut, cut);
  return made;
}

static void add_references(struct rte_mbuf *packet, int16_t change) {
  for (struct rte_mbuf *one = packet; one != NULL; one = one->next) rte_mbuf_refcnt_update(one, change);
}

static uint16_t share_packets(struct rte_mbuf **packets, uint16_t wanted, struct rte_mbuf **shared) {
  for (uint16_t i = 0; i < wanted; i++) {
    add_references(packets[i], 1);
    shared[i] = packets[i];
  }
  return wanted;
}

// A copy would be cut, and is one segment; the packet itself is as it is.
static bool fits(const struct mirror_target *target, const struct rte_mbuf *packet) {
  return packet->pkt_len <= target->frame_bytes && (packet->nb_segs == 1 || target->takes_segments);
}

static uint16_t only_fitting(const struct mirror_target *target, struct rte_mbuf **packets, uint16_t count,
                             struct mirror_left_out *left_out) {
  uint16_t fitting = 0;
  for (uint16_t i = 0; i < count; i++) {
    if (fits(target, packets[i])) packets[fitting++] = packets[i];
  }
  left_out->unfit = (uint16_t)(count - fitting);
  return fitting;
}

// Those that are wanted come to the front; the others are counted.
static uint16_t choose(const struct tee_kind *kind, struct rte_mbuf **packets, uint16_t count,
                       struct mirror_left_out *left_out) {
  struct mirror_target *const target = kind->target;
  if (kind->is_by_reference) return only_fitting(target, packets, count, left_out);
  return target->admit == NULL ? count : target->admit(target, packets, count, left_out);
}

// Never the last reference: the application has one, as long as it is in the callback.
static void give_back(const struct tee *tee, struct rte_mbuf **packets, uint16_t unsent) {
  if (!tee->kind->is_by_reference) return copy_pool_give(&tee->kind->target->pool, packets, unsent);
  for (uint16_t i = 0; i < unsent; i++) add_references(packets[i], -1);
}

// What became of the packets of a burst, all at once: who reads in between finds little that does not add up.
static void count_fates(struct tee *tee, uint16_t selected, const struct mirror_left_out *left_out, uint16_t copied,
                        struct mirror_sent sent) {
  const uint32_t wanted = selected - left_out->own - left_out->unresolved - left_out->limited - left_out->unfit;
  const uint32_t unsent = copied - sent.count;
  count(&tee->counters.matched, selected - left_out->own);
  count(&tee->left_out.own, left_out->own);
  count(&tee->left_out.unresolved, left_out->unresolved);
  count(&tee->left_out.limited, left_out->limited);
  count(&tee->counters.copied, copied + left_out->unfit);  // none of these lacked an mbuf
  count(&tee->counters.nombuf, wanted - copied);
  count(&tee->counters.sent, sent.count);
  count(&tee->counters.contended, sent.is_contended ? unsent : 0);
  count(&tee->counters.refused, left_out->unfit + (sent.is_contended ? 0 : unsent));
}

static void mirror_packets(struct tee *tee, struct rte_mbuf **packets, uint16_t selected) {
  struct rte_mbuf *copies[CHUNK];
  struct mirror_target *const target = tee->kind->target;
  struct mirror_left_out left_out = {0};
  const uint16_t wanted = choose(tee->kind, packets, selected, &left_out);
  struct mirror_burst burst = {copies, 0, tee->kind->source_port, tee->direction, 0};
  if (wanted > 0)
    burst.count = tee->kind->is_by_reference ? share_packets(packets, wanted, copies)
                                             : copy_packets(tee, packets, wanted, &burst);
  const struct mirror_sent sent = burst.count == 0 ? (struct mirror_sent){0, false} : target->send(target, &burst);
  give_back(tee, copies + sent.count, (uint16_t)(burst.count - sent.count));
  count_fates(tee, selected, &left_out, burst.count, sent);
}

static void take(struct tap *tap, struct rte_mbuf **packets, uint16_t burst) {
  struct tee *const tee = (struct tee *)tap;
  for (uint32_t first = 0; first < burst; first += CHUNK) {
    struct rte_mbuf *matched[CHUNK];
    uint16_t many = 0;
    const uint16_t some = burst - first < CHUNK ? (uint16_t)(burst - first) : CHUNK;
    uint64_t selected = filter_run(tee->filter, packets + first, some);
    for (; selected != 0; selected &= selected - 1) matched[many++] = packets[first + __builtin_ctzll(selected)];
    count(&tee->counters.filtered, some - many);
    if (many > 0) mirror_packets(tee, matched, many);
  }
}

void tee_begin(struct tee *tee, const struct tee_kind *kind, const struct filter *filter, uint32_t direction) {
  *tee = (struct tee){.tap = {.take = take}, .kind = kind, .filter = filter, .direction = direction};
}

static void add(uint64_t *sum, const uint64_t *counter) { *sum += __atomic_load_n(counter, __ATOMIC_RELAXED); }

void tee_add_counters(const struct tee *tee, struct dpcap_mirror_counters *sum) {
  const struct dpcap_mirror_counters *const own = &tee->counters;
  add(&sum->filtered, &own->filtered);
  add(&sum->matched, &own->matched);
  add(&sum->copied, &own->copied);
  add(&sum->sent, &own->sent);
  add(&sum->refused, &own->refused);
  add(&sum->nombuf, &own->nombuf);
  add(&sum->contended, &own->contended);
  add(&sum->missed, &own->missed);
  add(&sum->cut, &own->cut);
}

void tee_add_left_out(const struct tee *tee, struct dpcap_mirror_tunnel_counters *sum) {
  add(&sum->limited, &tee->left_out.limited);
  add(&sum->unresolved, &tee->left_out.unresolved);
  add(&sum->own, &tee->left_out.own);
}
