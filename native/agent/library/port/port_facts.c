#include "agent/library/port/port_facts.h"

#include <errno.h>
#include <string.h>

#include "agent/library/dpdk.h"

// The longest frame that NICs know.
#define MOST_FRAME 9728u
// An MTU that is too short for any IPv4 host (RFC 791) is not believed.
#define LEAST_MTU 576u

bool port_has_device(uint16_t port, const char *device) {
  char name[RTE_ETH_NAME_MAX_LEN] = "";
  return dpdk.is_valid_port(port) && dpdk.port_name(port, name) == 0 && strcmp(name, device) == 0;
}

static uint32_t frame_bytes(uint16_t port) {
  uint16_t mtu = 0;
  if (dpdk.mtu(port, &mtu) != 0 || mtu < LEAST_MTU) mtu = RTE_ETHER_MTU;
  const uint32_t bytes = mtu + RTE_ETHER_HDR_LEN + PORT_TAGS_BYTES;
  return bytes > MOST_FRAME ? MOST_FRAME : bytes;
}

int port_facts_of(uint16_t port, struct port_facts *facts) {
  struct rte_eth_dev_info info;
  if (dpdk.port_info(port, &info) != 0) return ENODEV;
  *facts = (struct port_facts){info.nb_rx_queues, info.nb_tx_queues, frame_bytes(port)};
  return 0;
}

uint64_t port_tx_offloads(uint16_t port, uint16_t queue) {
  struct rte_eth_conf conf;
  struct rte_eth_txq_info info;
  memset(&conf, 0, sizeof conf);
  memset(&info, 0, sizeof info);
  uint64_t offloads = dpdk.port_conf(port, &conf) == 0 ? conf.txmode.offloads : 0;
  if (dpdk.tx_queue != NULL && dpdk.tx_queue(port, queue, &info) == 0) offloads |= info.conf.offloads;
  return offloads;
}

uint16_t port_tx_descriptors(uint16_t port, uint16_t queue) {
  struct rte_eth_txq_info info;
  memset(&info, 0, sizeof info);
  return dpdk.tx_queue != NULL && dpdk.tx_queue(port, queue, &info) == 0 ? info.nb_desc : 0;
}

// While the port is stopped, ethdev has one and the same array in place of its receive queues and of its transmit
// queues (eth_dev_fp_ops_reset, 22.11 to 25.11).
bool port_is_started(uint16_t port) {
  const struct rte_eth_fp_ops *const functions = &dpdk.fast_path[port];
  return functions->rxq.data != NULL && (void *)functions->rxq.data != (void *)functions->txq.data;
}

static bool has_offload(uint16_t port, uint64_t offload) {
  struct port_facts facts;
  if (port_facts_of(port, &facts) != 0) return false;
  if (facts.tx_queues == 0) return (port_tx_offloads(port, 0) & offload) != 0;
  for (uint16_t queue = 0; queue < facts.tx_queues; queue++) {
    if ((port_tx_offloads(port, queue) & offload) != 0) return true;
  }
  return false;
}

bool port_any_offloads(uint64_t offload) {
  for (uint16_t port = dpdk.next_port(0); port < RTE_MAX_ETHPORTS; port = dpdk.next_port(port + 1)) {
    if (has_offload(port, offload)) return true;
  }
  return false;
}

bool port_any_sends_with(uint64_t offload) {
  for (uint16_t port = dpdk.next_port(0); port < RTE_MAX_ETHPORTS; port = dpdk.next_port(port + 1)) {
    if (port_is_started(port) && has_offload(port, offload)) return true;
  }
  return false;
}
