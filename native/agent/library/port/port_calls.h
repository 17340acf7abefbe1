// The functions of DPDK that add a port to an application and take it away: a table, so that tests put others in their
// place. Agent's thread.
#pragma once
#include <rte_ethdev.h>
#include <stdbool.h>
#include <stdint.h>

struct port_calls {
  int (*plug)(const char *bus, const char *device, const char *arguments);
  int (*unplug)(const char *bus, const char *device);
  int (*find)(const char *device, uint16_t *port);
  int (*configure)(uint16_t, uint16_t, uint16_t, const struct rte_eth_conf *);
  int (*set_up_rx)(uint16_t, uint16_t, uint16_t, unsigned int, const struct rte_eth_rxconf *, struct rte_mempool *);
  int (*set_up_tx)(uint16_t, uint16_t, uint16_t, unsigned int, const struct rte_eth_txconf *);
  int (*start)(uint16_t);
  int (*stop)(uint16_t);
  // So that the application, where it goes through its ports, leaves this one out.
  int (*new_owner)(uint64_t *);
  int (*set_owner)(uint16_t, const struct rte_eth_dev_owner *);
};

// Those of this process, looked up by the first call; NULL when it lacks one.
const struct port_calls *port_calls_here(void);
