// The functions of DPDK that make flow rules, and those of some drivers that keep transmitted packets in the NIC: a
// table, so that tests put others in their place. Agent's thread.
#pragma once
#include <rte_flow.h>
#include <stdbool.h>
#include <stdint.h>

struct flow_calls {
  int (*validate)(uint16_t, const struct rte_flow_attr *, const struct rte_flow_item[], const struct rte_flow_action[],
                  struct rte_flow_error *);
  struct rte_flow *(*create)(uint16_t, const struct rte_flow_attr *, const struct rte_flow_item[],
                             const struct rte_flow_action[], struct rte_flow_error *);
  int (*destroy)(uint16_t, struct rte_flow *, struct rte_flow_error *);
  int (*query)(uint16_t, struct rte_flow *, const struct rte_flow_action *, void *, struct rte_flow_error *);
  int (*pick_transfer_proxy)(uint16_t, uint16_t *, struct rte_flow_error *);
  int (*last_error)(void);  // of create(), which says no other
};

// Those of this process, looked up by the first call; NULL when it lacks one.
const struct flow_calls *flow_calls_here(void);

// The name of the function that switches the loopback of transmitted packets, for ports of this driver; NULL for
// drivers that have none.
const char *flow_loopback_function(const char *driver);
// Switches it, for the whole port. Returns 0 or an errno: EOPNOTSUPP when the driver has no such function, ENOSYS when
// it is not in this process; any other is the driver's.
int flow_set_loopback(uint16_t port, bool is_on);
