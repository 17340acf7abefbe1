// What ethdev is asked to call when a port is destroyed: the agent asks once in a process.
#pragma once
#include <rte_ethdev.h>

inline rte_eth_dev_cb_fn on_port_destroyed = nullptr;

inline int keep_event_callback(uint16_t, rte_eth_event_type, rte_eth_dev_cb_fn callback, void*) {
  on_port_destroyed = callback;
  return 0;
}
