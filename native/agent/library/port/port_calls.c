#include "agent/library/port/port_calls.h"

#include <dlfcn.h>
#include <stddef.h>

static struct port_calls calls;

const struct port_calls *port_calls_here(void) {
  // The cast is POSIX's: dlsym() returns a pointer to an object that is one to a function.
  const struct {
    const char *name;
    void **function;
  } needed[] = {
      {"rte_eal_hotplug_add", (void **)(void *)&calls.plug},
      {"rte_eal_hotplug_remove", (void **)(void *)&calls.unplug},
      {"rte_eth_dev_get_port_by_name", (void **)(void *)&calls.find},
      {"rte_eth_dev_configure", (void **)(void *)&calls.configure},
      {"rte_eth_rx_queue_setup", (void **)(void *)&calls.set_up_rx},
      {"rte_eth_tx_queue_setup", (void **)(void *)&calls.set_up_tx},
      {"rte_eth_dev_start", (void **)(void *)&calls.start},
      {"rte_eth_dev_stop", (void **)(void *)&calls.stop},
      {"rte_eth_dev_owner_new", (void **)(void *)&calls.new_owner},
      {"rte_eth_dev_owner_set", (void **)(void *)&calls.set_owner},
  };
  bool is_whole = true;
  for (size_t i = 0; i < RTE_DIM(needed); i++) {
    if (*needed[i].function == NULL) *needed[i].function = dlsym(RTLD_DEFAULT, needed[i].name);
    is_whole &= *needed[i].function != NULL;
  }
  return is_whole ? &calls : NULL;
}
