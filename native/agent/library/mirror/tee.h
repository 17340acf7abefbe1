// One lane of a mirror: selects packets of each burst, copies them and sends the copies. A thread of the application,
// in the lane's callback, one at a time, unless it says something else.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "agent/library/datapath/filter.h"
#include "agent/library/datapath/tap.h"
#include "agent/library/mirror/target.h"
#include "agent/mirror.h"
#include "agent/wire/tunnel.h"

// What the lanes of a mirror have in common; does not change while they are attached.
struct tee_kind {
  struct mirror_target *target;
  uint32_t snaplen;
  bool is_by_reference;
  bool has_vlan;  // to be pushed
  uint16_t vlan_tci;
  uint16_t source_port;
};

struct tee {
  struct tap tap;  // comes first
  const struct tee_kind *kind;
  const struct filter *filter;  // NULL: all packets
  uint32_t direction;
  struct dpcap_mirror_counters counters;  // other threads read them
  struct dpcap_mirror_tunnel_counters left_out;
};

// Has packets that come to the tap mirrored. Agent's thread, before it is attached.
void tee_begin(struct tee *tee, const struct tee_kind *kind, const struct filter *filter, uint32_t direction);
// Adds what was counted so far. Agent's thread.
void tee_add_counters(const struct tee *tee, struct dpcap_mirror_counters *sum);
void tee_add_left_out(const struct tee *tee, struct dpcap_mirror_tunnel_counters *sum);
