#include "agent/library/dpdk.h"

#include <dlfcn.h>
#include <rte_version.h>
#include <stdio.h>

struct dpdk dpdk;

static void *look_up(const char *name) { return dlsym(RTLD_DEFAULT, name); }

bool dpdk_is_here(void) { return look_up("rte_eal_init") != NULL; }

bool dpdk_is_up_already(void) {
  uint64_t (*tsc_hz)(void);
  *(void **)&tsc_hz = look_up("rte_get_tsc_hz");
  return tsc_hz != NULL && tsc_hz() != 0;  // see dpdk_is_ready()
}

struct needed {
  const char *name;
  void **function;
};

// The cast is POSIX's: dlsym() returns a pointer to an object that is one to a function.
#define FUNCTION(name, field) \
  { name, (void **)(void *)&dpdk.field }

static const struct needed NEEDED[] = {
    FUNCTION("rte_version", version),
    FUNCTION("rte_version_year", version_year),
    FUNCTION("rte_version_month", version_month),
    FUNCTION("rte_get_tsc_hz", tsc_hz),
    FUNCTION("rte_eal_process_type", process_type),
    FUNCTION("rte_eal_get_runtime_dir", runtime_dir),
    FUNCTION("rte_eth_find_next", next_port),
    FUNCTION("rte_eth_dev_is_valid_port", is_valid_port),
    FUNCTION("rte_eth_dev_get_name_by_port", port_name),
    FUNCTION("rte_eth_dev_info_get", port_info),
    FUNCTION("rte_eth_macaddr_get", mac),
    FUNCTION("rte_eth_dev_get_mtu", mtu),
    FUNCTION("rte_eth_link_get_nowait", link),
    FUNCTION("rte_eth_add_first_rx_callback", add_rx),
    FUNCTION("rte_eth_add_tx_callback", add_tx),
    FUNCTION("rte_eth_dev_callback_register", on_event),
};

static const struct needed WELCOME[] = {
    FUNCTION("rte_eth_dev_is_valid_rxq", is_valid_rxq),
    FUNCTION("rte_eth_dev_is_valid_txq", is_valid_txq),
    FUNCTION("rte_eth_tx_queue_info_get", tx_queue),
};

static const struct needed OF_MIRRORS[] = {
    FUNCTION("rte_eth_fp_ops", fast_path),
    FUNCTION("rte_mempool_ops_table", pool_ops),
    FUNCTION("rte_eth_call_tx_callbacks", call_tx_callbacks),
    FUNCTION("rte_pktmbuf_pool_create_by_ops", make_pool),
    FUNCTION("rte_mempool_free", free_pool),
    FUNCTION("rte_mempool_avail_count", available),
    FUNCTION("rte_eth_dev_conf_get", port_conf),
};

// The ABI is one from November to the next November.
static unsigned int abi_of(unsigned int year, unsigned int month) { return month >= 11 ? year + 1 : year; }

const char *dpdk_look_up(void) {
  static char problem[128];
  for (size_t i = 0; i < RTE_DIM(NEEDED); i++) {
    *NEEDED[i].function = look_up(NEEDED[i].name);
    if (*NEEDED[i].function != NULL) continue;
    snprintf(problem, sizeof problem, "it has no %s: a program that is linked statically has to export it",
             NEEDED[i].name);
    return problem;
  }
  for (size_t i = 0; i < RTE_DIM(WELCOME); i++) *WELCOME[i].function = look_up(WELCOME[i].name);
  for (size_t i = 0; i < RTE_DIM(OF_MIRRORS); i++) *OF_MIRRORS[i].function = look_up(OF_MIRRORS[i].name);
  if (abi_of(dpdk.version_year(), dpdk.version_month()) == abi_of(RTE_VER_YEAR, RTE_VER_MONTH)) return NULL;
  snprintf(problem, sizeof problem, "the agent of %s in place of that for %d.%d", dpdk.version(), RTE_VER_YEAR,
           RTE_VER_MONTH);
  return problem;
}

bool dpdk_can_mirror(void) {
  for (size_t i = 0; i < RTE_DIM(OF_MIRRORS); i++) {
    if (*OF_MIRRORS[i].function == NULL) return false;
  }
  return true;
}

// rte_eal_init() sets the frequency after memory, heaps, locks and tail queues, and before it probes the devices
// (lib/eal/linux/eal.c, 22.11 to 25.11).
bool dpdk_is_ready(void) { return dpdk.tsc_hz() != 0; }
