#include "agent/library/mirror/port_target.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "agent/library/datapath/lane.h"
#include "agent/library/datapath/turn.h"
#include "agent/library/dpdk.h"
#include "agent/library/mirror/port_facts.h"

// How long a queue is watched before the first packet: an application that sends does so far more often.
#define WATCH_MS 200
// Beside those that lie in the queue's descriptors. More would hold up the application's own allocations while they are
// made; fewer would not last for the bursts of several threads.
#define SPARE_COPIES 1536u
#define UNKNOWN_DESCRIPTORS 1024u
// For the spare ones: see copies_for().
#define MOST_POOL_BYTES (UINT32_C(16) << 20)
// Used ones, and those whose copies have not come back.
#define MOST_TARGETS (2 * DPCAP_AGENT_MAX_MIRRORS)

struct port_target {
  struct mirror_target target;  // comes first
  struct tap watch;
  struct lane *lane;
  uint16_t port;
  uint16_t queue;
  bool is_shared;            // several threads may send: the application may as well
  bool is_detached;          // from the lane, to be freed
  uint64_t detached;         // when: see lane_moment()
  unsigned int users;        // mirrors
  struct turn turn;          // to send
  _Atomic uint64_t foreign;  // packets that the application sent here
};

static struct port_target *targets[MOST_TARGETS];
static unsigned int pools_made;

static struct port_target *of_watch(struct tap *watch) {
  return (struct port_target *)(void *)((uint8_t *)watch - offsetof(struct port_target, watch));
}

// The taps do not get what the agent sends: this is the application's.
static void count_foreign(struct tap *watch, struct rte_mbuf **packets, uint16_t count) {
  (void)packets;
  atomic_fetch_add_explicit(&of_watch(watch)->foreign, count, memory_order_relaxed);
}

static void *driver_queue(const struct port_target *target) { return port_tx_queue(target->port, target->queue); }

// As rte_eth_tx_burst() does it: captures at the target, and whatever else has a callback there, get the copies.
static uint16_t send_burst(const struct port_target *target, void *queue, struct rte_mbuf **packets, uint16_t count) {
  const struct rte_eth_fp_ops *const port = &dpdk.fast_path[target->port];
  void *const callbacks = __atomic_load_n((void **)(void *)&port->txq.clbk[target->queue], __ATOMIC_ACQUIRE);
  if (callbacks != NULL) count = dpdk.call_tx_callbacks(target->port, target->queue, packets, count, callbacks);
  return port->tx_pkt_burst(queue, packets, count);
}

static bool is_used_by_others(const struct port_target *target) {
  return !target->is_shared && atomic_load_explicit(&target->foreign, memory_order_relaxed) > 0;
}

static struct mirror_sent send_packets(struct mirror_target *base, const struct mirror_burst *burst) {
  struct port_target *const target = (struct port_target *)base;
  struct mirror_sent sent = {0, false};
  if (is_used_by_others(target)) return sent;
  if (!turn_begin(&target->turn)) return (struct mirror_sent){0, true};
  void *const queue = driver_queue(target);
  if (queue != NULL) {
    lane_feed_begin(target->lane);
    sent.count = send_burst(target, queue, burst->packets, burst->count);
    lane_feed_end(target->lane);
  }
  turn_end(&target->turn);
  return sent;
}

static bool is_gone(const struct port_target *target) { return lane_tap_has_ended(target->lane, &target->watch); }

// A moment in which the application sends nothing on the queue.
static bool is_free(const struct port_target *target) {
  const struct timespec nap = {0, 1000000};
  for (int waited = 0; waited < WATCH_MS && atomic_load(&target->foreign) == 0; waited++) nanosleep(&nap, NULL);
  return atomic_load(&target->foreign) == 0;
}

static void detach(struct port_target *target) {
  lane_detach_tap(target->lane, &target->watch);
  target->detached = lane_moment(target->lane);
  target->is_detached = true;
}

// Drivers that free what they have sent only when few descriptors are left keep a copy in each of the others: with
// fewer copies than descriptors all would lie there, and nothing would ever be sent again.
static uint32_t copies_for(const struct port_target *target) {
  const uint16_t told = port_tx_descriptors(target->port, target->queue);
  const uint32_t descriptors = told == 0 ? UNKNOWN_DESCRIPTORS : told;
  const uint32_t size = target->target.frame_bytes + RTE_PKTMBUF_HEADROOM + (uint32_t)sizeof(struct rte_mbuf);
  const uint32_t least = descriptors + MIRROR_BURST, wanted = descriptors + SPARE_COPIES;
  const uint32_t most = MOST_POOL_BYTES / size;
  if (most < least) return least;
  return wanted < most ? wanted : most;
}

static int make_pool(struct port_target *target) {
  char name[RTE_MEMPOOL_NAMESIZE];
  snprintf(name, sizeof name, "dpcap_mirror_%u", ++pools_made);  // an earlier one of this queue may still be there
  return copy_pool_make(&target->target.pool, name, copies_for(target), target->target.frame_bytes);
}

static int begin(struct port_target *target) {
  target->lane = lane_find(target->port, target->queue, DPCAP_AGENT_TX);
  if (target->lane == NULL) return ENOMEM;
  target->watch.take = count_foreign;
  const int err = lane_attach_tap(target->lane, &target->watch);
  if (err != 0) return err;
  if (!target->is_shared && !is_free(target)) return EBUSY;
  return make_pool(target);
}

// A driver with MBUF_FAST_FREE puts what it has sent back into the pool of the first packet: on a queue of its own
// alone the agent's copies are among themselves.
static bool may_be_shared(uint64_t offloads) {
  return (offloads & RTE_ETH_TX_OFFLOAD_MT_LOCKFREE) != 0 && (offloads & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE) == 0;
}

// As the port is set up at this time.
static void look_at_offloads(struct port_target *target, bool is_alone) {
  const uint64_t offloads = port_tx_offloads(target->port, target->queue);
  target->is_shared = !is_alone && may_be_shared(offloads);
  target->target.takes_segments = (offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0;
}

static int make(struct port_target **place, uint16_t port, uint16_t queue, uint32_t frame_bytes, bool is_alone) {
  struct port_target *const target = calloc(1, sizeof *target);
  if (target == NULL) return ENOMEM;
  target->target.send = send_packets;
  target->target.frame_bytes = frame_bytes;
  target->port = port;
  target->queue = queue;
  look_at_offloads(target, is_alone);
  *place = target;
  if (driver_queue(target) == NULL) return ENETDOWN;
  return begin(target);
}

// It may be that a thread is in the watch.
static void abandon(struct port_target **place) {
  if ((*place)->lane != NULL) return detach(*place);
  free(*place);
  *place = NULL;
}

static struct port_target **find(uint16_t port, uint16_t queue) {
  for (unsigned int i = 0; i < MOST_TARGETS; i++) {
    const struct port_target *const one = targets[i];
    if (one != NULL && !one->is_detached && one->port == port && one->queue == queue && !is_gone(one))
      return &targets[i];
  }
  return NULL;
}

static struct port_target **find_room(void) {
  for (unsigned int i = 0; i < MOST_TARGETS; i++) {
    if (targets[i] == NULL) return &targets[i];
  }
  return NULL;
}

static int use_known(struct port_target *target, bool is_alone) {
  if (driver_queue(target) == NULL) return ENETDOWN;
  // With users it has been watched all the time; without, packets of earlier do not count, and the port may have been
  // set up anew.
  if (target->users == 0) {
    look_at_offloads(target, is_alone);
    atomic_store(&target->foreign, 0);
    if (!target->is_shared && !is_free(target)) return EBUSY;
  }
  return is_used_by_others(target) || (is_alone && target->is_shared) ? EBUSY : 0;
}

int port_target_use(uint16_t port, uint16_t queue, bool is_alone, struct mirror_target **target) {
  struct port_facts facts;
  int err = port_facts_of(port, &facts);
  if (err != 0) return err;
  if (queue == DPCAP_MIRROR_LAST_QUEUE) queue = (uint16_t)(facts.tx_queues - 1);
  if (queue >= facts.tx_queues) return ERANGE;
  struct port_target **place = find(port, queue);
  if (place != NULL) {
    err = use_known(*place, is_alone);
  } else {
    place = find_room();
    if (place == NULL) return EUSERS;
    err = make(place, port, queue, facts.frame_bytes, is_alone);
    if (err != 0 && *place != NULL) abandon(place);
  }
  if (err != 0) return err;
  (*place)->users++;
  *target = &(*place)->target;
  return 0;
}

void port_target_leave(struct mirror_target *target) { ((struct port_target *)target)->users--; }

unsigned int port_target_users(uint16_t port) {
  unsigned int users = 0;
  for (unsigned int i = 0; i < MOST_TARGETS; i++) {
    if (targets[i] != NULL && targets[i]->port == port) users += targets[i]->users;
  }
  return users;
}

uint16_t port_target_queue(const struct mirror_target *target) { return ((const struct port_target *)target)->queue; }

uint32_t port_target_fault(const struct mirror_target *base) {
  const struct port_target *const target = (const struct port_target *)base;
  if (is_gone(target)) return DPCAP_MIRROR_TARGET_GONE;
  if (driver_queue(target) == NULL) return DPCAP_MIRROR_TARGET_STOPPED;
  return is_used_by_others(target) ? DPCAP_MIRROR_QUEUE_USED : 0;
}

// A copy that is still in the driver's queue is freed by the driver, in a thread of the application: until all are
// back, the pool stays.
static bool has_copies_out(const struct port_target *target) {
  return target->target.pool.mempool != NULL && !copy_pool_is_whole(&target->target.pool);
}

bool port_targets_tick(void) {
  bool is_any_left = false;
  for (unsigned int i = 0; i < MOST_TARGETS; i++) {
    struct port_target *const one = targets[i];
    if (one == NULL) continue;
    if (one->users == 0 && !one->is_detached && !has_copies_out(one)) detach(one);
    if (one->is_detached && lane_has_left(one->lane, one->detached) && !has_copies_out(one)) {
      if (one->target.pool.mempool != NULL) copy_pool_free(&one->target.pool);
      free(one);
      targets[i] = NULL;
    } else {
      is_any_left = true;
    }
  }
  return is_any_left;
}

void port_targets_forget(void) {
  for (unsigned int i = 0; i < MOST_TARGETS; i++) targets[i] = NULL;
}
