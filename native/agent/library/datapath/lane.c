#include "agent/library/datapath/lane.h"

#include <errno.h>
#include <pthread.h>
#include <rte_cycles.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "agent/library/dpdk.h"

struct lane {
  uint16_t port;
  uint16_t queue;
  uint32_t direction;
  struct lane *next;
  // Once for all ports that come to this place: ethdev keeps the callbacks of a port that is released for the next one
  // (rte_eth_dev_release_port, 22.11 to 26.07). A second one would record each packet twice.
  atomic_bool has_callback;
  atomic_uint life;           // counts the ports that were here
  atomic_bool is_busy;        // a thread is in the callback
  _Atomic uint64_t passages;  // how often one has left it
  atomic_uint attached;       // one more than the last stream's place
  atomic_uint tapped;         // one more than the last tap's place
  uint64_t marked;            // the passages at the moment of lanes_mark(). Agent's thread
  _Atomic uint64_t contended;
  _Atomic uintptr_t feeder;  // the thread that sends packets of the agent's on this queue now, or 0
  struct stream *_Atomic streams[DPCAP_AGENT_MAX_SESSIONS];
  struct tap *_Atomic taps[LANE_MAX_TAPS];
};

// Lanes stay once they were made: a thread may be in their callback at any time.
static struct lane *_Atomic lanes;

static void tell_inside(struct lane *lane, unsigned int attached, uint32_t is_inside) {
  for (unsigned int i = 0; i < attached; i++) {
    struct stream *const stream = atomic_load(&lane->streams[i]);
    if (stream != NULL) __atomic_store_n(&stream->shared->is_inside, is_inside, __ATOMIC_RELEASE);
  }
}

static void run_streams(struct lane *lane, unsigned int attached, struct rte_mbuf **packets, uint16_t count,
                        unsigned int life) {
  tell_inside(lane, attached, 1);
  const struct clock_time time = clock_at(rte_rdtsc());
  const uint64_t contended = atomic_load_explicit(&lane->contended, memory_order_relaxed);
  for (unsigned int i = 0; i < attached; i++) {
    struct stream *const stream = atomic_load(&lane->streams[i]);
    if (stream == NULL || stream->life != life) continue;
    stream_miss(stream, contended);
    stream_take(stream, packets, count, time);
  }
  tell_inside(lane, attached, 0);
}

// What a mirror sends is no packet of the application's: it is not mirrored again.
static bool is_fed_here(const struct lane *lane) {
  const uintptr_t feeder = atomic_load_explicit(&lane->feeder, memory_order_relaxed);
  return feeder != 0 && feeder == (uintptr_t)pthread_self();
}

static void run_taps(struct lane *lane, unsigned int tapped, struct rte_mbuf **packets, uint16_t count,
                     unsigned int life) {
  if (is_fed_here(lane)) return;
  for (unsigned int i = 0; i < tapped; i++) {
    struct tap *const tap = atomic_load(&lane->taps[i]);
    if (tap != NULL && tap->life == life) tap->take(tap, packets, count);
  }
}

static void take_burst(struct lane *lane, struct rte_mbuf **packets, uint16_t count) {
  const unsigned int attached = atomic_load(&lane->attached), tapped = atomic_load(&lane->tapped);
  if ((attached == 0 && tapped == 0) || count == 0) return;
  // Sequentially consistent, as the pointers of streams and taps are: a thread that finds one is seen to be inside.
  if (atomic_exchange(&lane->is_busy, true)) {
    atomic_fetch_add_explicit(&lane->contended, count, memory_order_relaxed);
    return;
  }
  const unsigned int life = atomic_load(&lane->life);
  if (attached > 0) run_streams(lane, attached, packets, count, life);
  if (tapped > 0) run_taps(lane, tapped, packets, count, life);
  const uint64_t passages = atomic_load_explicit(&lane->passages, memory_order_relaxed);
  atomic_store_explicit(&lane->passages, passages + 1, memory_order_release);
  atomic_store_explicit(&lane->is_busy, false, memory_order_release);
}

static uint16_t on_rx(uint16_t port, uint16_t queue, struct rte_mbuf **packets, uint16_t count, uint16_t most,
                      void *lane) {
  (void)port, (void)queue, (void)most;
  take_burst(lane, packets, count);
  return count;
}

static uint16_t on_tx(uint16_t port, uint16_t queue, struct rte_mbuf **packets, uint16_t count, void *lane) {
  (void)port, (void)queue;
  take_burst(lane, packets, count);
  return count;
}

// Runs in whatever thread of the application destroys the port.
static int on_destroyed(uint16_t port, enum rte_eth_event_type event, void *unused, void *unused_too) {
  (void)event, (void)unused, (void)unused_too;
  for (struct lane *lane = atomic_load(&lanes); lane != NULL; lane = lane->next) {
    if (lane->port == port) atomic_fetch_add(&lane->life, 1);
  }
  return 0;
}

struct lane *lane_find(uint16_t port, uint16_t queue, uint32_t direction) {
  for (struct lane *lane = atomic_load(&lanes); lane != NULL; lane = lane->next) {
    if (lane->port == port && lane->queue == queue && lane->direction == direction) return lane;
  }
  struct lane *const lane = calloc(1, sizeof *lane);
  if (lane == NULL) return NULL;
  if (atomic_load(&lanes) == NULL) dpdk.on_event(RTE_ETH_ALL, RTE_ETH_EVENT_DESTROY, on_destroyed, NULL);
  lane->port = port;
  lane->queue = queue;
  lane->direction = direction;
  lane->next = atomic_load(&lanes);
  atomic_store(&lanes, lane);
  return lane;
}

static int put_callback(struct lane *lane) {
  if (atomic_load(&lane->has_callback)) return 0;
  // First on receive, before the application's own callbacks change packets, and last on transmit.
  const void *const callback = lane->direction == DPCAP_AGENT_RX ? dpdk.add_rx(lane->port, lane->queue, on_rx, lane)
                                                                 : dpdk.add_tx(lane->port, lane->queue, on_tx, lane);
  if (callback == NULL) return ENODEV;
  atomic_store(&lane->has_callback, true);
  return 0;
}

// As far as that can be seen without asking the driver, which the application may be about to close.
static bool is_valid(const struct lane *lane) {
  if (!dpdk.is_valid_port(lane->port)) return false;
  int (*const is_valid)(uint16_t, uint16_t) = lane->direction == DPCAP_AGENT_RX ? dpdk.is_valid_rxq : dpdk.is_valid_txq;
  return is_valid == NULL || is_valid(lane->port, lane->queue) >= 0;
}

bool lane_is_there(struct lane *lane) { return is_valid(lane) && put_callback(lane) == 0; }

int lane_attach(struct lane *lane, struct stream *stream) {
  if (!is_valid(lane)) return ENODEV;
  stream->life = atomic_load(&lane->life);
  stream->contended = atomic_load(&lane->contended);
  for (unsigned int i = 0; i < DPCAP_AGENT_MAX_SESSIONS; i++) {
    if (atomic_load(&lane->streams[i]) != NULL) continue;
    atomic_store(&lane->streams[i], stream);
    if (atomic_load(&lane->attached) <= i) atomic_store(&lane->attached, i + 1);
    const int err = put_callback(lane);
    if (err != 0) lane_detach(lane, stream);
    return err;
  }
  return EUSERS;
}

void lane_detach(struct lane *lane, struct stream *stream) {
  unsigned int attached = 0;
  for (unsigned int i = 0; i < DPCAP_AGENT_MAX_SESSIONS; i++) {
    if (atomic_load(&lane->streams[i]) == stream) atomic_store(&lane->streams[i], NULL);
    if (atomic_load(&lane->streams[i]) != NULL) attached = i + 1;
  }
  atomic_store(&lane->attached, attached);
}

int lane_attach_tap(struct lane *lane, struct tap *tap) {
  if (!is_valid(lane)) return ENODEV;
  tap->life = atomic_load(&lane->life);
  for (unsigned int i = 0; i < LANE_MAX_TAPS; i++) {
    if (atomic_load(&lane->taps[i]) != NULL) continue;
    atomic_store(&lane->taps[i], tap);
    if (atomic_load(&lane->tapped) <= i) atomic_store(&lane->tapped, i + 1);
    const int err = put_callback(lane);
    if (err != 0) lane_detach_tap(lane, tap);
    return err;
  }
  return EUSERS;
}

void lane_detach_tap(struct lane *lane, struct tap *tap) {
  unsigned int tapped = 0;
  for (unsigned int i = 0; i < LANE_MAX_TAPS; i++) {
    if (atomic_load(&lane->taps[i]) == tap) atomic_store(&lane->taps[i], NULL);
    if (atomic_load(&lane->taps[i]) != NULL) tapped = i + 1;
  }
  atomic_store(&lane->tapped, tapped);
}

bool lane_tap_has_ended(const struct lane *lane, const struct tap *tap) {
  return tap->life != atomic_load(&lane->life) || !is_valid(lane);
}

void lane_feed_begin(struct lane *lane) {
  atomic_store_explicit(&lane->feeder, (uintptr_t)pthread_self(), memory_order_relaxed);
}

void lane_feed_end(struct lane *lane) { atomic_store_explicit(&lane->feeder, 0, memory_order_relaxed); }

uint64_t lane_moment(const struct lane *lane) { return atomic_load(&lane->passages); }

bool lane_has_left(const struct lane *lane, uint64_t moment) {
  return atomic_load(&lane->passages) != moment || !atomic_load(&lane->is_busy);
}

void lanes_mark(void) {
  for (struct lane *lane = atomic_load(&lanes); lane != NULL; lane = lane->next) lane->marked = lane_moment(lane);
}

// A lane that was made since has a mark of 0, and nobody in its callback who was there before.
bool lanes_have_left_mark(void) {
  for (struct lane *lane = atomic_load(&lanes); lane != NULL; lane = lane->next) {
    if (!lane_has_left(lane, lane->marked)) return false;
  }
  return true;
}

uint64_t lane_contended(const struct lane *lane) {
  return atomic_load_explicit(&lane->contended, memory_order_relaxed);
}

bool lane_has_ended(const struct lane *lane, const struct stream *stream) {
  return stream->life != atomic_load(&lane->life) || !is_valid(lane);
}

bool lane_has_port(const struct lane *lane, const struct stream *stream) {
  return stream->life == atomic_load(&lane->life) && dpdk.is_valid_port(lane->port);
}

void lanes_leave(void) {
  for (struct lane *lane = atomic_load(&lanes); lane != NULL; lane = lane->next) {
    atomic_store(&lane->attached, 0);
    atomic_store(&lane->tapped, 0);
    for (unsigned int i = 0; i < LANE_MAX_TAPS; i++) atomic_store(&lane->taps[i], NULL);
    for (unsigned int i = 0; i < DPCAP_AGENT_MAX_SESSIONS; i++) atomic_store(&lane->streams[i], NULL);
  }
}
