#include "agent/library/control/mirroring.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "agent/library/control/answer.h"
#include "agent/library/dpdk.h"
#include "agent/library/mirror/mirror.h"
#include "agent/library/mirror/order.h"
#include "agent/library/mirror/port_target.h"
#include "agent/library/port/kernel_ports.h"
#include "agent/library/tunnel/tunnel_target.h"
#include "agent/mirror.h"
#include "agent/wire/tunnel.h"

// Who clears a mirror is answered when no thread is inside, or that there is one, after this time.
#define STOP_MS 50

// A mirror that is on, or that threads have still to leave.
struct place {
  struct mirror *mirror;
  bool is_ending;
  uint32_t reason;
};

static struct place places[DPCAP_AGENT_MAX_MIRRORS];
// Those that have ended by themselves, until they are cleared or newer ones take their place. An id of 0: none.
static struct dpcap_mirror_report ended[DPCAP_AGENT_MAX_MIRRORS];
static unsigned int next_ended;

bool mirroring_is_possible(void) { return dpdk_can_mirror() && dpdk.process_type() == RTE_PROC_PRIMARY; }

static void describe(const struct place *place, struct dpcap_mirror_report *report) {
  mirror_describe(place->mirror, report);
  report->mirror.reason = place->is_ending ? place->reason : DPCAP_MIRROR_CLEARED;
}

static struct place *find(uint32_t id) {
  for (unsigned int i = 0; i < DPCAP_AGENT_MAX_MIRRORS; i++) {
    if (places[i].mirror != NULL && mirror_id(places[i].mirror) == id) return &places[i];
  }
  return NULL;
}

static struct dpcap_mirror_report *find_ended(uint32_t id) {
  for (unsigned int i = 0; i < DPCAP_AGENT_MAX_MIRRORS; i++) {
    if (ended[i].mirror.id == id) return &ended[i];
  }
  return NULL;
}

static void begin_end(struct place *place, uint32_t reason) {
  if (!place->is_ending) place->reason = reason;
  place->is_ending = true;
}

// Returns whether the mirror is gone; `last` is what there was to tell of it.
static bool try_end(struct place *place, struct dpcap_mirror_report *last) {
  const bool is_left = mirror_stop(place->mirror);
  describe(place, last);
  if (!is_left) return false;
  last->mirror.state = DPCAP_MIRROR_ENDED;
  mirror_free(place->mirror);
  *place = (struct place){NULL, false, 0};
  return true;
}

static void keep(const struct dpcap_mirror_report *last) {
  if (last->mirror.reason != DPCAP_MIRROR_CLEARED) ended[next_ended++ % DPCAP_AGENT_MAX_MIRRORS] = *last;
}

// Whether packets of this direction would go to this port twice. Tunnels are told apart by themselves.
static bool is_same(const struct dpcap_mirror_status *one, const struct mirror_order *asked) {
  const struct dpcap_mirror_order *const order = &asked->head;
  if (asked->has_tunnel || (one->flags & DPCAP_MIRROR_TUNNEL) != 0) return false;
  return one->source_port == order->source_port && one->target_port == order->target_port &&
         (one->directions & order->directions) != 0;
}

static int check_others(const struct mirror_order *order) {
  unsigned int count = 0;
  if (find_ended(order->head.id) != NULL) return EEXIST;
  for (unsigned int i = 0; i < DPCAP_AGENT_MAX_MIRRORS; i++) {
    struct dpcap_mirror_report one;
    if (places[i].mirror == NULL) continue;
    count++;
    mirror_describe(places[i].mirror, &one);
    if (one.mirror.id == order->head.id || (!places[i].is_ending && is_same(&one.mirror, order))) return EEXIST;
  }
  return count == DPCAP_AGENT_MAX_MIRRORS ? EUSERS : 0;
}

static struct place *find_room(void) {
  unsigned int i = 0;
  while (places[i].mirror != NULL) i++;
  return &places[i];
}

static int set(const struct mirror_order *order, struct dpcap_mirror_report *report) {
  if (!mirroring_is_possible()) return ENOSYS;
  int err = check_others(order);
  if (err != 0) return err;
  struct place *const place = find_room();
  place->mirror = mirror_begin(order, &err);
  if (err == 0)
    describe(place, report);
  else if (place->mirror != NULL) {
    begin_end(place, DPCAP_MIRROR_CLEARED);
    try_end(place, report);
  }
  return err;
}

static int read_and_set(uint16_t operation, const void *body, size_t bytes, struct dpcap_mirror_report *report) {
  struct mirror_order order;
  const bool is_read = operation == DPCAP_AGENT_MIRROR_SET ? mirror_order_read(body, bytes, &order)
                                                           : mirror_order_read_tunnel(body, bytes, &order);
  return is_read ? set(&order, report) : EINVAL;
}

static int read_name(const void *body, size_t bytes, struct dpcap_mirror_name *name) {
  if (bytes != sizeof *name) return EINVAL;
  memcpy(name, body, sizeof *name);
  return name->id == 0 ? EINVAL : 0;
}

static int renew(const void *body, size_t bytes, struct dpcap_mirror_report *report) {
  struct dpcap_mirror_name name;
  if (read_name(body, bytes, &name) != 0) return EINVAL;
  if (name.lease_seconds == 0 || name.lease_seconds > DPCAP_MIRROR_MOST_LEASE) return EINVAL;
  const struct dpcap_mirror_report *const last = find_ended(name.id);
  struct place *const place = find(name.id);
  if (place == NULL && last == NULL) return ENOENT;
  if (place == NULL) {
    *report = *last;
    return 0;
  }
  if (!mirror_is_of(place->mirror, name.owner_pid, name.owner_start_ticks)) return EPERM;
  if (!place->is_ending) mirror_renew(place->mirror, name.lease_seconds);
  describe(place, report);
  return 0;
}

static int clear(const void *body, size_t bytes, struct dpcap_mirror_report *report) {
  const struct timespec nap = {0, 1000000};
  struct dpcap_mirror_name name;
  if (read_name(body, bytes, &name) != 0) return EINVAL;
  struct place *const place = find(name.id);
  if (place == NULL) {
    struct dpcap_mirror_report *const last = find_ended(name.id);
    if (last == NULL) return ENOENT;
    *report = *last;
    last->mirror.id = 0;
    return 0;
  }
  begin_end(place, DPCAP_MIRROR_CLEARED);
  for (int waited = 0; !try_end(place, report); waited++) {
    if (waited == STOP_MS) return EBUSY;
    nanosleep(&nap, NULL);
  }
  return 0;
}

// Also those that have ended.
static unsigned int describe_mirrors(struct dpcap_mirror_report *all) {
  unsigned int count = 0;
  for (unsigned int i = 0; i < DPCAP_AGENT_MAX_MIRRORS; i++) {
    if (places[i].mirror != NULL) describe(&places[i], &all[count++]);
  }
  for (unsigned int i = 0; i < DPCAP_AGENT_MAX_MIRRORS; i++) {
    if (ended[i].mirror.id != 0) all[count++] = ended[i];
  }
  return count;
}

void mirroring_describe_all(struct mirroring_description *all) {
  all->mirror_count = describe_mirrors(all->mirrors);
  all->flow_count = flow_mirroring_describe(all->flows);
}

static void list(int fd, const struct dpcap_agent_header *asked) {
  static struct dpcap_mirror_report all[MIRRORING_MOST];
  static struct dpcap_mirror_status statuses[MIRRORING_MOST];
  const unsigned int count = describe_mirrors(all);
  if (asked->operation == DPCAP_AGENT_MIRROR_REPORT) return answer(fd, asked, 0, all, count * sizeof all[0], NULL, 0);
  for (unsigned int i = 0; i < count; i++) statuses[i] = all[i].mirror;
  answer(fd, asked, 0, statuses, count * sizeof statuses[0], NULL, 0);
}

// The older operations are answered as they always were.
static void answer_report(int fd, const struct dpcap_agent_header *asked, const struct dpcap_mirror_report *report) {
  const bool is_whole = asked->operation == DPCAP_AGENT_MIRROR_SET_TUNNEL || asked->operation == DPCAP_AGENT_MIRROR_END;
  answer(fd, asked, 0, report, is_whole ? sizeof *report : sizeof report->mirror, NULL, 0);
}

void mirroring_handle(int fd, const struct dpcap_agent_header *asked, const void *body, size_t bytes) {
  struct dpcap_mirror_report report;
  int err = ENOSYS;
  switch (asked->operation) {
    case DPCAP_AGENT_MIRROR_LIST:
    case DPCAP_AGENT_MIRROR_REPORT:
      return list(fd, asked);
    case DPCAP_AGENT_MIRROR_SET:
    case DPCAP_AGENT_MIRROR_SET_TUNNEL:
      err = read_and_set(asked->operation, body, bytes, &report);
      break;
    case DPCAP_AGENT_MIRROR_RENEW:
      err = renew(body, bytes, &report);
      break;
    case DPCAP_AGENT_MIRROR_CLEAR:
    case DPCAP_AGENT_MIRROR_END:
      err = clear(body, bytes, &report);
      break;
    case DPCAP_AGENT_KERNEL_PORT:
      return kernel_ports_handle(fd, asked, body, bytes);
    default:
      return flow_mirroring_handle(fd, asked, body, bytes);
  }
  if (err != 0) return answer_error(fd, asked, err);
  answer_report(fd, asked, &report);
}

bool mirroring_needs_clock(void) { return tunnel_targets_need_clock(); }

bool mirroring_tick(void) {
  bool is_any = flow_mirroring_tick();
  for (unsigned int i = 0; i < DPCAP_AGENT_MAX_MIRRORS; i++) {
    struct place *const place = &places[i];
    struct dpcap_mirror_report last;
    if (place->mirror == NULL) continue;
    is_any = true;
    const uint32_t reason = place->is_ending ? place->reason : mirror_watch(place->mirror);
    if (reason != 0) begin_end(place, reason);
    if (place->is_ending && try_end(place, &last)) keep(&last);
  }
  is_any |= kernel_ports_tick();
  is_any |= tunnel_targets_tick();
  return port_targets_tick() || is_any;
}

void mirroring_leave(void) {
  memset(places, 0, sizeof places);
  memset(ended, 0, sizeof ended);
  tunnel_targets_forget();
  port_targets_forget();
  kernel_ports_forget();
  flow_mirroring_leave();
}
