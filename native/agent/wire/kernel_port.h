// What is said about ports that end in a kernel interface between the agent inside an application and those outside;
// protocol.h has the frame. The agent adds such a port to the application: a virtio-user device, whose other end
// /dev/vhost-net is. It is there for mirrors to it, and goes when the last of them has ended. Little-endian numbers.
#pragma once

#include "agent/protocol.h"

#define DPCAP_KERNEL_INTERFACE_BYTES 16u

struct dpcap_kernel_port_order {
  char interface[DPCAP_KERNEL_INTERFACE_BYTES];  // its name: letters, digits, and . _ -
};

struct dpcap_kernel_port {
  uint16_t port;
  uint16_t reserved[3];
  char device[DPCAP_AGENT_DEVICE_BYTES];
};

enum dpcap_kernel_port_step {
  DPCAP_KERNEL_PORT_LOOK = 1,    // for /dev/vhost-net, which this process may have to open
  DPCAP_KERNEL_PORT_PLUG = 2,    // rte_eal_hotplug_add()
  DPCAP_KERNEL_PORT_SET_UP = 3,  // the port's queues, and its start
};

// Behind the errno of an answer, where it is the kernel's or DPDK's.
struct dpcap_kernel_port_refusal {
  uint32_t step;  // enum dpcap_kernel_port_step
  uint32_t reserved;
};
