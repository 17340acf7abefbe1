#include "agent/library/tunnel/own_tunnels.h"

#include <stdatomic.h>
#include <string.h>

#include "agent/mirror.h"

// Each mirror that is on has one at most.
static const struct own_tunnel *_Atomic known[DPCAP_AGENT_MAX_MIRRORS];
static atomic_uint known_count;  // one more than the place of the last

static bool is_same(const struct own_tunnel *one, const struct own_tunnel *other) {
  return one->tunnel.kind == other->tunnel.kind && one->tunnel.id == other->tunnel.id &&
         one->tunnel.udp_port == other->tunnel.udp_port && one->outer.is_ipv6 == other->outer.is_ipv6 &&
         memcmp(one->outer.source, other->outer.source, sizeof one->outer.source) == 0 &&
         memcmp(one->outer.destination, other->outer.destination, sizeof one->outer.destination) == 0;
}

bool own_tunnels_add(const struct own_tunnel *own) {
  unsigned int place = DPCAP_AGENT_MAX_MIRRORS;
  for (unsigned int i = DPCAP_AGENT_MAX_MIRRORS; i-- > 0;) {
    const struct own_tunnel *const one = atomic_load(&known[i]);
    if (one == NULL)
      place = i;
    else if (is_same(one, own))
      return false;
  }
  if (place == DPCAP_AGENT_MAX_MIRRORS) return false;
  atomic_store(&known[place], own);
  if (atomic_load(&known_count) <= place) atomic_store(&known_count, place + 1);
  return true;
}

void own_tunnels_remove(const struct own_tunnel *own) {
  unsigned int count = 0;
  for (unsigned int i = 0; i < DPCAP_AGENT_MAX_MIRRORS; i++) {
    if (atomic_load(&known[i]) == own) atomic_store(&known[i], NULL);
    if (atomic_load(&known[i]) != NULL) count = i + 1;
  }
  atomic_store(&known_count, count);
}

void own_tunnels_forget(void) {
  for (unsigned int i = 0; i < DPCAP_AGENT_MAX_MIRRORS; i++) atomic_store(&known[i], NULL);
  atomic_store(&known_count, 0);
}

bool own_tunnels_have(const struct rte_mbuf *packet) {
  const uint8_t *const frame = rte_pktmbuf_mtod(packet, const uint8_t *);
  const unsigned int count = atomic_load(&known_count);
  for (unsigned int i = 0; i < count; i++) {
    const struct own_tunnel *const own = atomic_load(&known[i]);
    if (own != NULL && dpcap_tunnel_is_own(&own->tunnel, &own->outer, frame, packet->data_len)) return true;
  }
  return false;
}
