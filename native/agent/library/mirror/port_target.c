#include "agent/library/mirror/port_target.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "agent/library/datapath/lane.h"
#include "agent/library/datapath/turn.h"
#include "agent/library/dpdk.h"
#include "agent/library/port/port_facts.h"
#include "agent/library/port/port_sender.h"

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
  struct port_sender sender;
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

static bool is_used_by_others(const struct port_target *target) {
  return !target->is_shared && atomic_load_explicit(&target->foreign, memory_order_relaxed) > 0;
}

static struct mirror_sent send_packets(struct mirror_target *base, const struct mirror_burst *burst) {
  struct port_target *const target = (struct port_target *)base;
  struct mirror_sent sent = {0, false};
  if (is_used_by_others(target)) return sent;
  if (!turn_begin(&target->turn)) return (struct mirror_sent){0, true};
  lane_feed_begin(target->lane);
  sent.count = port_sender_send(&target->sender, burst->packets, burst->count);
  lane_feed_end(target->lane);
  turn_end(&target->turn);
  return sent;
}

static bool is_gone(const struct port_target *target) { return lane_tap_has_ended(target->lane, &target->watch); }

// Takes the port as it runs, and watches it for a moment in which the application must not send on the queue.
static int look(struct port_target *target) {
  const struct timespec nap = {0, 1000000};
  const int watch = target->is_shared ? 1 : WATCH_MS;
  if (!port_sender_begin(&target->sender, target->port, target->queue)) return ENETDOWN;
  for (int waited = 0; waited < watch && !is_used_by_others(target); waited++) nanosleep(&nap, NULL);
  if (!port_sender_is_running(&target->sender)) return ENETDOWN;
  return is_used_by_others(target) ? EBUSY : 0;
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
  int err = lane_attach_tap(target->lane, &target->watch);
  if (err == 0) err = look(target);
  return err == 0 ? make_pool(target) : err;
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
  // With users it has been watched all the time; without, packets of earlier do not count, and the port may have been
  // set up anew.
  if (target->users == 0) {
    look_at_offloads(target, is_alone);
    atomic_store(&target->foreign, 0);
    const int err = look(target);
    if (err != 0) return err;
  }
  if (!port_sender_is_running(&target->sender)) return ENETDOWN;
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
  if (!port_sender_is_running(&target->sender)) return DPCAP_MIRROR_TARGET_STOPPED;
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
    port_sender_follow(&one->sender);
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
