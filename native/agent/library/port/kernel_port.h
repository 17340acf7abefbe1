// A port of the agent's own in the application, whose other end is a kernel interface: a virtio-user device with
// /dev/vhost-net. It has one queue of each direction. Nobody polls the one that receives: what the kernel sends on the
// interface stays in it, and is lost when it is full. Agent's thread.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "agent/library/mirror/pool.h"
#include "agent/library/port/port_calls.h"
#include "agent/wire/kernel_port.h"

struct kernel_port {
  const struct port_calls *calls;
  char plugged[RTE_DEV_NAME_MAX_LEN];  // the name that it was plugged by
  struct dpcap_kernel_port told;
  bool is_plugged;
  struct copy_pool pool;  // of the queue that receives
};

// Whether an interface may have this name: it becomes a part of a device's arguments.
bool kernel_port_takes_name(const char name[DPCAP_KERNEL_INTERFACE_BYTES]);
// Adds the port, sets it up and starts it. `number` makes its name one that no other has. Returns 0 or an errno, with
// the step that failed: what is left then, kernel_port_remove() takes away.
int kernel_port_add(struct kernel_port *port, const struct port_calls *calls, const char *interface,
                    unsigned int number, uint32_t *step);
// Whether it is still there: the application may have taken it away.
bool kernel_port_is_there(const struct kernel_port *port);
// Takes it away, with its interface. Returns whether it is gone, and its memory with it; to be called again else.
bool kernel_port_remove(struct kernel_port *port);
