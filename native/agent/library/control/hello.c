#define _GNU_SOURCE
#include "agent/library/control/hello.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "agent/library/control/mirroring.h"
#include "agent/library/datapath/filter.h"
#include "agent/library/dpdk.h"
#include "agent/protocol.h"

static bool is_injected;

void hello_is_injected(void) { is_injected = true; }

static void write_text(char *out, size_t room, const char *text) {
  const size_t length = text == NULL ? 0 : strnlen(text, room - 1);
  if (length > 0) memcpy(out, text, length);
  out[length] = 0;
}

static void write_port(struct dpcap_agent_port *out, uint16_t id) {
  struct rte_eth_dev_info info;
  struct rte_ether_addr mac;
  struct rte_eth_link link;
  char name[RTE_ETH_NAME_MAX_LEN] = "";
  memset(out, 0, sizeof *out);
  out->id = id;
  if (dpdk.port_name(id, name) == 0) write_text(out->device, sizeof out->device, name);
  if (dpdk.port_info(id, &info) == 0) {
    out->rx_queues = info.nb_rx_queues;
    out->tx_queues = info.nb_tx_queues;
    write_text(out->driver, sizeof out->driver, info.driver_name);
  }
  if (dpdk.mac(id, &mac) == 0) memcpy(out->mac, mac.addr_bytes, sizeof out->mac);
  dpdk.mtu(id, &out->mtu);
  if (dpdk.link(id, &link) == 0 && link.link_status != 0) out->link_mbps = link.link_speed;
}

static uint32_t features(void) {
  return (filters_are_compiled() ? DPCAP_AGENT_COMPILES : 0) | (is_injected ? DPCAP_AGENT_INJECTED : 0) |
         (mirroring_is_possible() ? DPCAP_AGENT_MIRRORS | DPCAP_AGENT_TUNNELS : 0);
}

size_t hello_write(uint8_t *out, size_t room) {
  struct dpcap_agent_hello hello;
  memset(&hello, 0, sizeof hello);
  hello.pid = (uint32_t)getpid();
  hello.process_type = (uint32_t)dpdk.process_type();
  hello.features = features();
  hello.tsc_hz = dpdk.tsc_hz();
  write_text(hello.dpdk_version, sizeof hello.dpdk_version, dpdk.version());
  write_text(hello.program, sizeof hello.program, program_invocation_short_name);
  size_t bytes = sizeof hello;
  for (uint16_t port = dpdk.next_port(0); port < RTE_MAX_ETHPORTS; port = dpdk.next_port(port + 1)) {
    struct dpcap_agent_port one;
    if (bytes + sizeof one > room) break;
    write_port(&one, port);
    memcpy(out + bytes, &one, sizeof one);
    bytes += sizeof one;
    hello.port_count++;
  }
  memcpy(out, &hello, sizeof hello);
  return bytes;
}
