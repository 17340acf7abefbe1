#include "agent/library/port/kernel_ports.h"

#include <errno.h>
#include <string.h>

#include "agent/library/control/answer.h"
#include "agent/library/control/mirroring.h"
#include "agent/library/mirror/lease.h"
#include "agent/library/mirror/port_target.h"
#include "agent/library/port/kernel_port.h"
#include "agent/mirror.h"

// Who has asked for a port sets a mirror to it next; should that never come, the port goes.
#define UNUSED_SECONDS 10

struct place {
  struct kernel_port port;
  struct lease unused;
  bool is_taken;
  bool was_used;
};

static struct place places[DPCAP_AGENT_MAX_MIRRORS];
static unsigned int made;

static struct place *find_room(void) {
  for (unsigned int i = 0; i < DPCAP_AGENT_MAX_MIRRORS; i++) {
    if (!places[i].is_taken) return &places[i];
  }
  return NULL;
}

void kernel_ports_handle(int fd, const struct dpcap_agent_header *asked, const void *body, size_t bytes) {
  struct dpcap_kernel_port_order order;
  struct dpcap_kernel_port_refusal refusal = {0};
  if (bytes != sizeof order) return answer_error(fd, asked, EINVAL);
  memcpy(&order, body, sizeof order);
  if (!kernel_port_takes_name(order.interface)) return answer_error(fd, asked, EINVAL);
  const struct port_calls *const calls = mirroring_is_possible() ? port_calls_here() : NULL;
  if (calls == NULL) return answer_error(fd, asked, ENOSYS);
  struct place *const place = find_room();
  if (place == NULL) return answer_error(fd, asked, EUSERS);
  const int err = kernel_port_add(&place->port, calls, order.interface, ++made, &refusal.step);
  place->is_taken = err == 0 || !kernel_port_remove(&place->port);
  place->was_used = err != 0;
  if (err != 0) return answer(fd, asked, err, &refusal, sizeof refusal, NULL, 0);
  lease_renew(&place->unused, UNUSED_SECONDS);
  answer(fd, asked, 0, &place->port.told, sizeof place->port.told, NULL, 0);
}

static bool is_needed(struct place *place) {
  if (!kernel_port_is_there(&place->port)) return false;
  if (port_target_users(place->port.told.port) > 0) {
    place->was_used = true;
    return true;
  }
  return !place->was_used && !lease_is_over(&place->unused);
}

bool kernel_ports_tick(void) {
  bool is_any_left = false;
  for (unsigned int i = 0; i < DPCAP_AGENT_MAX_MIRRORS; i++) {
    struct place *const place = &places[i];
    if (!place->is_taken) continue;
    if (is_needed(place) || !kernel_port_remove(&place->port))
      is_any_left = true;
    else
      place->is_taken = false;
  }
  return is_any_left;
}

void kernel_ports_forget(void) { memset(places, 0, sizeof places); }
