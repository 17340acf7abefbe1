// A mirror in hardware: its rules, from their making to their end. Agent's thread.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "agent/library/flow/flow_calls.h"
#include "agent/library/flow/flow_order.h"
#include "agent/wire/flow.h"

struct flow_mirror;

// Has the driver validate all rules, and then makes all of them, or none. Returns NULL, and sets the errno and what the
// driver has said, whose message is empty where it has said nothing; the errno is 0 when the driver was only to be
// asked and would take them: `status` tells of that.
struct flow_mirror *flow_mirror_begin(const struct flow_calls *calls, const struct flow_order *order, int *err,
                                      struct dpcap_flow_refusal *refusal, struct dpcap_flow_status *status);
// Returns why the mirror has to end, a dpcap_flow_end, or 0.
uint32_t flow_mirror_watch(const struct flow_mirror *mirror);
void flow_mirror_renew(struct flow_mirror *mirror, uint32_t lease_seconds);
bool flow_mirror_is_of(const struct flow_mirror *mirror, uint32_t owner_pid, uint64_t owner_start_ticks);
uint32_t flow_mirror_id(const struct flow_mirror *mirror);
// Takes away its rules, the last first, and no others. Those of a port that was stopped are gone already, and are left
// alone. Returns 0, or the errno of a rule that the driver keeps: it is to be tried again.
int flow_mirror_end(struct flow_mirror *mirror, struct dpcap_flow_refusal *refusal);
// Frees what flow_mirror_end() has ended.
void flow_mirror_free(struct flow_mirror *mirror);
// All but its counters, for which no driver is asked.
void flow_mirror_describe(const struct flow_mirror *mirror, struct dpcap_flow_status *status);
// Adds the counters, where the mirror has them, and its driver tells.
void flow_mirror_count(const struct flow_mirror *mirror, struct dpcap_flow_status *status);
