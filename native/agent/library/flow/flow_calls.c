#include "agent/library/flow/flow_calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "agent/library/dpdk.h"

static struct flow_calls calls;

// rte_errno is a variable of each thread's; dlsym() gives the address of the calling one's (glibc's dl-sym.c).
static int last_error(void) {
  const int *const error = dlsym(RTLD_DEFAULT, "per_lcore__rte_errno");
  return error == NULL || *error == 0 ? EIO : *error;
}

const struct flow_calls *flow_calls_here(void) {
  if (calls.last_error == NULL) {
    *(void **)&calls.validate = dlsym(RTLD_DEFAULT, "rte_flow_validate");
    *(void **)&calls.create = dlsym(RTLD_DEFAULT, "rte_flow_create");
    *(void **)&calls.destroy = dlsym(RTLD_DEFAULT, "rte_flow_destroy");
    *(void **)&calls.query = dlsym(RTLD_DEFAULT, "rte_flow_query");
    *(void **)&calls.pick_transfer_proxy = dlsym(RTLD_DEFAULT, "rte_flow_pick_transfer_proxy");
    calls.last_error = last_error;
  }
  const bool is_whole = calls.validate != NULL && calls.create != NULL && calls.destroy != NULL &&
                        calls.query != NULL && calls.pick_transfer_proxy != NULL;
  return is_whole ? &calls : NULL;
}

struct loopback {
  const char *driver;
  const char *function;
};

// The drivers whose headers have it, from 22.11 to 25.11: rte_pmd_ixgbe.h, rte_pmd_i40e.h, rte_pmd_bnxt.h,
// rte_pmd_dpaa.h. All take the port and a byte, 1 for on.
static const struct loopback LOOPBACKS[] = {
    {"net_ixgbe", "rte_pmd_ixgbe_set_tx_loopback"},
    {"net_i40e", "rte_pmd_i40e_set_tx_loopback"},
    {"net_bnxt", "rte_pmd_bnxt_set_tx_loopback"},
    {"net_dpaa", "rte_pmd_dpaa_set_tx_loopback"},
};

const char *flow_loopback_function(const char *driver) {
  for (size_t i = 0; i < RTE_DIM(LOOPBACKS); i++) {
    if (driver != NULL && strcmp(LOOPBACKS[i].driver, driver) == 0) return LOOPBACKS[i].function;
  }
  return NULL;
}

int flow_set_loopback(uint16_t port, bool is_on) {
  struct rte_eth_dev_info info;
  int (*set)(uint16_t, uint8_t);
  if (dpdk.port_info(port, &info) != 0) return ENODEV;
  const char *const name = flow_loopback_function(info.driver_name);
  if (name == NULL) return EOPNOTSUPP;
  *(void **)&set = dlsym(RTLD_DEFAULT, name);
  return set == NULL ? ENOSYS : -set(port, is_on);
}
