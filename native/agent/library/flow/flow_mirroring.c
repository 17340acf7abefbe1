#include "agent/library/flow/flow_mirroring.h"

#include <errno.h>
#include <string.h>

#include "agent/library/control/answer.h"
#include "agent/library/control/mirroring.h"
#include "agent/library/flow/flow_mirror.h"
#include "agent/library/port/port_facts.h"

struct place {
  struct flow_mirror *mirror;
  bool is_ending;  // the driver has not yet taken all rules away
  uint32_t reason;
};

static struct place places[DPCAP_AGENT_MAX_MIRRORS];
// Those that have ended by themselves, until they are cleared or newer ones take their place. An id of 0: none.
static struct dpcap_flow_status ended[DPCAP_AGENT_MAX_MIRRORS];
static unsigned int next_ended;

static void describe_uncounted(const struct place *place, struct dpcap_flow_status *status) {
  flow_mirror_describe(place->mirror, status);
  status->state = place->is_ending ? DPCAP_MIRROR_ENDING : DPCAP_MIRROR_ON;
  status->reason = place->is_ending ? place->reason : DPCAP_FLOW_CLEARED;
}

static void describe(const struct place *place, struct dpcap_flow_status *status) {
  describe_uncounted(place, status);
  flow_mirror_count(place->mirror, status);
}

static struct place *find(uint32_t id) {
  for (unsigned int i = 0; i < DPCAP_AGENT_MAX_MIRRORS; i++) {
    if (places[i].mirror != NULL && flow_mirror_id(places[i].mirror) == id) return &places[i];
  }
  return NULL;
}

static struct dpcap_flow_status *find_ended(uint32_t id) {
  for (unsigned int i = 0; i < DPCAP_AGENT_MAX_MIRRORS; i++) {
    if (ended[i].id == id) return &ended[i];
  }
  return NULL;
}

static struct place *find_room(void) {
  for (unsigned int i = 0; i < DPCAP_AGENT_MAX_MIRRORS; i++) {
    if (places[i].mirror == NULL) return &places[i];
  }
  return NULL;
}

// The first reason stays, however often it is tried.
static int end(struct place *place, uint32_t reason, struct dpcap_flow_status *last,
               struct dpcap_flow_refusal *refusal) {
  if (!place->is_ending) place->reason = reason;
  describe(place, last);
  place->is_ending = true;
  const int err = flow_mirror_end(place->mirror, refusal);
  if (err != 0) return err;
  last->reason = place->reason;
  last->state = DPCAP_MIRROR_ENDED;
  flow_mirror_free(place->mirror);
  *place = (struct place){NULL, false, 0};
  return 0;
}

static int set(const void *body, size_t bytes, struct dpcap_flow_status *status, struct dpcap_flow_refusal *refusal) {
  static struct flow_order order;
  int err;
  if (!flow_order_read(body, bytes, &order)) return EINVAL;
  const struct flow_calls *const calls = mirroring_is_possible() ? flow_calls_here() : NULL;
  if (calls == NULL) return ENOSYS;
  if (find(order.head.id) != NULL || find_ended(order.head.id) != NULL) return EEXIST;
  struct place *const place = find_room();
  if (place == NULL) return EUSERS;
  place->mirror = flow_mirror_begin(calls, &order, &err, refusal, status);
  return err;
}

static int read_name(const void *body, size_t bytes, struct dpcap_mirror_name *name) {
  if (bytes != sizeof *name) return EINVAL;
  memcpy(name, body, sizeof *name);
  return name->id == 0 ? EINVAL : 0;
}

static int renew(const void *body, size_t bytes, struct dpcap_flow_status *status) {
  struct dpcap_mirror_name name;
  if (read_name(body, bytes, &name) != 0) return EINVAL;
  if (name.lease_seconds == 0 || name.lease_seconds > DPCAP_MIRROR_MOST_LEASE) return EINVAL;
  const struct dpcap_flow_status *const last = find_ended(name.id);
  struct place *const place = find(name.id);
  if (place == NULL && last == NULL) return ENOENT;
  if (place == NULL) {
    *status = *last;
    return 0;
  }
  if (!flow_mirror_is_of(place->mirror, name.owner_pid, name.owner_start_ticks)) return EPERM;
  if (!place->is_ending) flow_mirror_renew(place->mirror, name.lease_seconds);
  describe(place, status);
  return 0;
}

static int clear(const void *body, size_t bytes, struct dpcap_flow_status *status, struct dpcap_flow_refusal *refusal) {
  struct dpcap_mirror_name name;
  if (read_name(body, bytes, &name) != 0) return EINVAL;
  struct place *const place = find(name.id);
  if (place != NULL) return end(place, DPCAP_FLOW_CLEARED, status, refusal);
  struct dpcap_flow_status *const last = find_ended(name.id);
  if (last == NULL) return ENOENT;
  *status = *last;
  last->id = 0;
  return 0;
}

static unsigned int describe_all(struct dpcap_flow_status *all,
                                 void (*describe_one)(const struct place *, struct dpcap_flow_status *)) {
  unsigned int count = 0;
  for (unsigned int i = 0; i < DPCAP_AGENT_MAX_MIRRORS; i++) {
    if (places[i].mirror != NULL) describe_one(&places[i], &all[count++]);
  }
  for (unsigned int i = 0; i < DPCAP_AGENT_MAX_MIRRORS; i++) {
    if (ended[i].id != 0) all[count++] = ended[i];
  }
  return count;
}

unsigned int flow_mirroring_describe(struct dpcap_flow_status *all) { return describe_all(all, describe_uncounted); }

static void list(int fd, const struct dpcap_agent_header *asked) {
  static struct dpcap_flow_status all[FLOW_MIRRORING_MOST];
  const unsigned int count = describe_all(all, describe);
  answer(fd, asked, 0, all, count * sizeof all[0], NULL, 0);
}

static int set_loopback(const void *body, size_t bytes) {
  struct dpcap_tx_loopback order;
  if (bytes != sizeof order) return EINVAL;
  memcpy(&order, body, sizeof order);
  if (order.is_on > 1 || memchr(order.device, 0, sizeof order.device) == NULL) return EINVAL;
  if (!mirroring_is_possible()) return ENOSYS;
  return port_has_device(order.port, order.device) ? flow_set_loopback(order.port, order.is_on != 0) : ENODEV;
}

void flow_mirroring_handle(int fd, const struct dpcap_agent_header *asked, const void *body, size_t bytes) {
  struct dpcap_flow_status status;
  struct dpcap_flow_refusal refusal = {0};
  int err = ENOSYS;
  if (asked->operation == DPCAP_AGENT_FLOW_LIST) return list(fd, asked);
  if (asked->operation == DPCAP_AGENT_TX_LOOPBACK) return answer_error(fd, asked, set_loopback(body, bytes));
  if (asked->operation == DPCAP_AGENT_FLOW_SET) err = set(body, bytes, &status, &refusal);
  if (asked->operation == DPCAP_AGENT_FLOW_RENEW) err = renew(body, bytes, &status);
  if (asked->operation == DPCAP_AGENT_FLOW_CLEAR) err = clear(body, bytes, &status, &refusal);
  if (err == 0) return answer(fd, asked, 0, &status, sizeof status, NULL, 0);
  if (refusal.step == 0) return answer_error(fd, asked, err);
  answer(fd, asked, err, &refusal, sizeof refusal, NULL, 0);
}

bool flow_mirroring_tick(void) {
  bool is_any = false;
  for (unsigned int i = 0; i < DPCAP_AGENT_MAX_MIRRORS; i++) {
    struct place *const place = &places[i];
    struct dpcap_flow_status last;
    struct dpcap_flow_refusal refusal;
    if (place->mirror == NULL) continue;
    is_any = true;
    const uint32_t reason = place->is_ending ? place->reason : flow_mirror_watch(place->mirror);
    if (reason == DPCAP_FLOW_CLEARED && !place->is_ending) continue;
    if (end(place, reason, &last, &refusal) == 0 && last.reason != DPCAP_FLOW_CLEARED)
      ended[next_ended++ % DPCAP_AGENT_MAX_MIRRORS] = last;
  }
  return is_any;
}

void flow_mirroring_leave(void) {
  memset(places, 0, sizeof places);
  memset(ended, 0, sizeof ended);
}
