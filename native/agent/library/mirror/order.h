// What a mirror is asked for, read from a message. Agent's thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/mirror.h"
#include "agent/wire/tunnel.h"

// The parts of a dpcap_mirror_order or a dpcap_mirror_tunnel_order, whose sizes agree with its length. It points into
// the message.
struct mirror_order {
  struct dpcap_mirror_order head;
  bool has_tunnel;
  struct dpcap_mirror_tunnel tunnel;
  const uint8_t *programs;
  const char *filter;  // not ended by a zero
};

// Returns whether the message is well-formed. Whether its ports are there is another question.
bool mirror_order_read(const void *bytes, size_t size, struct mirror_order *order);
// The same, of a mirror into a tunnel.
bool mirror_order_read_tunnel(const void *bytes, size_t size, struct mirror_order *order);
