// The functions of DPDK that the agent calls. The library is linked to none of DPDK's: a static application has them
// already, and two copies end it. Each is looked up; one that is missing costs a feature, never the application.
#pragma once
#include <rte_ethdev.h>
#include <stdbool.h>

struct dpdk {
  const char *(*version)(void);
  unsigned int (*version_year)(void);
  unsigned int (*version_month)(void);
  uint64_t (*tsc_hz)(void);
  enum rte_proc_type_t (*process_type)(void);
  const char *(*runtime_dir)(void);

  uint16_t (*next_port)(uint16_t);
  int (*is_valid_port)(uint16_t);
  int (*port_name)(uint16_t, char *);
  int (*port_info)(uint16_t, struct rte_eth_dev_info *);
  int (*mac)(uint16_t, struct rte_ether_addr *);
  int (*mtu)(uint16_t, uint16_t *);
  int (*link)(uint16_t, struct rte_eth_link *);
  const struct rte_eth_rxtx_callback *(*add_rx)(uint16_t, uint16_t, rte_rx_callback_fn, void *);
  const struct rte_eth_rxtx_callback *(*add_tx)(uint16_t, uint16_t, rte_tx_callback_fn, void *);
  int (*on_event)(uint16_t, enum rte_eth_event_type, rte_eth_dev_cb_fn, void *);

  // From 23.11 on. Both ask no driver.
  int (*is_valid_rxq)(uint16_t, uint16_t);
  int (*is_valid_txq)(uint16_t, uint16_t);

  // For mirrors, which are not there without them: see dpdk_can_mirror().
  struct rte_eth_fp_ops *fast_path;  // of all ports; rte_eth_tx_burst() is inline, and reads it
  struct rte_mempool_ops_table *pool_ops;
  uint16_t (*call_tx_callbacks)(uint16_t, uint16_t, struct rte_mbuf **, uint16_t, void *);
  struct rte_mempool *(*make_pool)(const char *, unsigned int, unsigned int, uint16_t, uint16_t, int, const char *);
  void (*free_pool)(struct rte_mempool *);
  unsigned int (*available)(const struct rte_mempool *);
  int (*port_conf)(uint16_t, struct rte_eth_conf *);
  // Drivers need not have it.
  int (*tx_queue)(uint16_t, uint16_t, struct rte_eth_txq_info *);
};

extern struct dpdk dpdk;

// Whether this process has DPDK in it at all.
bool dpdk_is_here(void);
// Whether EAL is set up, before anything else was looked up.
bool dpdk_is_up_already(void);
// Looks all functions up. Returns why the agent can do nothing here: a needed one is missing, or the release is not the
// one that the agent was built for; NULL when all is well.
const char *dpdk_look_up(void);
// Whether all that mirrors take was found.
bool dpdk_can_mirror(void);
// Whether EAL's memory, locks and timers are set up. Devices may still be missing.
bool dpdk_is_ready(void);
