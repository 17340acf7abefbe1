// The MAC address of the next hop: given, or learnt from what a port receives. Nothing is asked of the network.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define NEIGHBOUR_MAC_BYTES 6u

struct neighbour {
  bool is_ipv6;
  uint8_t address[16];  // an IPv4 address is the first four bytes
  uint64_t mac;         // read and written at once
};

// Whose MAC address is to be learnt. Agent's thread, before others look.
void neighbour_begin(struct neighbour *neighbour, bool is_ipv6, const uint8_t *address);
// This is its MAC address. Any thread.
void neighbour_set_mac(struct neighbour *neighbour, const uint8_t *mac);
// Writes its MAC address; returns whether it is known. Any thread.
bool neighbour_mac(const struct neighbour *neighbour, uint8_t *mac);
// Learns from a received frame, of which the first `size` bytes are there: from any that comes from its address, until
// it is known, then from ARP and neighbour discovery alone, which tell of a new one. Frames with a VLAN tag are of
// another network. Any thread.
void neighbour_look(struct neighbour *neighbour, const uint8_t *frame, uint32_t size);
