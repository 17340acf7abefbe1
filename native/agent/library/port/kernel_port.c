#include "agent/library/port/kernel_port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/library/dpdk.h"
#include "agent/library/port/port_facts.h"

#define VHOST_NET "/dev/vhost-net"
#define BUS "vdev"
#define TX_DESCRIPTORS 1024
// Nobody reads what is received. A driver wants room for it all the same, and a few mbufs beside those in its queue.
#define RX_DESCRIPTORS 64
#define RX_MBUFS 256
#define RX_FRAME 2048

bool kernel_port_takes_name(const char name[DPCAP_KERNEL_INTERFACE_BYTES]) {
  const char *const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  const size_t length = strnlen(name, DPCAP_KERNEL_INTERFACE_BYTES);
  return length > 0 && length < DPCAP_KERNEL_INTERFACE_BYTES && strspn(name, allowed) == length;
}

// An application that goes through its ports (RTE_ETH_FOREACH_DEV) leaves out those that have an owner.
static void own(struct kernel_port *port) {
  struct rte_eth_dev_owner owner = {.name = "dpcap"};
  if (port->calls->new_owner(&owner.id) == 0) port->calls->set_owner(port->told.port, &owner);
}

static int plug(struct kernel_port *port, const char *interface, unsigned int number) {
  char arguments[128];
  snprintf(port->plugged, sizeof port->plugged, "net_virtio_user_dpcap%u", number);
  snprintf(arguments, sizeof arguments, "path=%s,queues=1,queue_size=%d,iface=%s", VHOST_NET, TX_DESCRIPTORS,
           interface);
  const int err = -port->calls->plug(BUS, port->plugged, arguments);
  if (err != 0) return err > 0 ? err : EIO;
  port->is_plugged = true;
  if (port->calls->find(port->plugged, &port->told.port) != 0) return ENODEV;
  own(port);
  return dpdk.port_name(port->told.port, port->told.device) == 0 ? 0 : ENODEV;
}

static int set_up(struct kernel_port *port, unsigned int number) {
  const struct rte_eth_conf conf = {0};
  const uint16_t id = port->told.port;
  char name[RTE_MEMPOOL_NAMESIZE];
  snprintf(name, sizeof name, "dpcap_kernel_%u", number);
  int err = copy_pool_make(&port->pool, name, RX_MBUFS, RX_FRAME);
  if (err != 0) return err;
  err = port->calls->configure(id, 1, 1, &conf);
  if (err == 0)
    err = port->calls->set_up_rx(id, 0, RX_DESCRIPTORS, (unsigned int)SOCKET_ID_ANY, NULL, port->pool.mempool);
  if (err == 0) err = port->calls->set_up_tx(id, 0, TX_DESCRIPTORS, (unsigned int)SOCKET_ID_ANY, NULL);
  if (err == 0) err = port->calls->start(id);
  return err < 0 ? -err : err;
}

int kernel_port_add(struct kernel_port *port, const struct port_calls *calls, const char *interface,
                    unsigned int number, uint32_t *step) {
  memset(port, 0, sizeof *port);
  port->calls = calls;
  *step = DPCAP_KERNEL_PORT_LOOK;
  if (access(VHOST_NET, R_OK | W_OK) != 0) return errno;
  *step = DPCAP_KERNEL_PORT_PLUG;
  int err = plug(port, interface, number);
  if (err == 0) {
    *step = DPCAP_KERNEL_PORT_SET_UP;
    err = set_up(port, number);
  }
  return err;
}

bool kernel_port_is_there(const struct kernel_port *port) {
  return port->is_plugged && port_has_device(port->told.port, port->told.device);
}

bool kernel_port_remove(struct kernel_port *port) {
  if (kernel_port_is_there(port)) {
    port->calls->stop(port->told.port);
    if (port->calls->unplug(BUS, port->plugged) != 0) return false;
  }
  port->is_plugged = false;
  if (port->pool.mempool == NULL) return true;
  if (!copy_pool_is_whole(&port->pool)) return false;
  copy_pool_free(&port->pool);
  return true;
}
