// A mirror: packets of all queues of one port, in one or both directions, to a transmit queue of a port, or into a
// tunnel that leaves by one. It follows queues that are added. Agent's thread.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "agent/library/mirror/order.h"
#include "agent/wire/tunnel.h"

struct mirror;

// Makes a mirror, and lets packets flow. Sets the errno, 0 when all is well: see mirroring_set(). What it returns then,
// unless it is NULL, has to be stopped and freed as well.
struct mirror *mirror_begin(const struct mirror_order *order, int *err);
// Has packets of queues that are new mirrored. Returns why the mirror has to end, a dpcap_mirror_end, or 0.
uint32_t mirror_watch(struct mirror *mirror);
// Goes on for so many seconds from now.
void mirror_renew(struct mirror *mirror, uint32_t lease_seconds);
bool mirror_is_of(const struct mirror *mirror, uint32_t owner_pid, uint64_t owner_start_ticks);
// From here nothing new is copied. Returns whether no thread of the application is inside any more.
bool mirror_stop(struct mirror *mirror);
// Frees what mirror_stop() has found outside.
void mirror_free(struct mirror *mirror);
void mirror_describe(const struct mirror *mirror, struct dpcap_mirror_report *report);
uint32_t mirror_id(const struct mirror *mirror);
