// What is asked about a port before something is sent on it. Agent's thread.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define PORT_TAGS_BYTES 8u

struct port_facts {
  uint16_t rx_queues;
  uint16_t tx_queues;
  uint32_t frame_bytes;  // the longest frame of its MTU, with two VLAN tags
};

// Whether the device of this name is in this place, as the client has seen it.
bool port_has_device(uint16_t port, const char *device);
// Returns 0 or ENODEV.
int port_facts_of(uint16_t port, struct port_facts *facts);
// Offloads that are on for a transmit queue (RTE_ETH_TX_OFFLOAD_*), by the port's configuration and by the queue's.
uint64_t port_tx_offloads(uint16_t port, uint16_t queue);
// Descriptors of a transmit queue, each of which may keep a copy for long; 0 when the driver does not tell.
uint16_t port_tx_descriptors(uint16_t port, uint16_t queue);
bool port_is_started(uint16_t port);
// Whether some port has this transmit offload on.
bool port_any_offloads(uint64_t offload);
// The same of the ports that are started: the driver of another one, which the application may be about to set up or to
// close, is not asked.
bool port_any_sends_with(uint64_t offload);
