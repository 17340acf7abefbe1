// What a recorder is asked for, read from a message or from the environment. Agent's thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/protocol.h"

// The parts of a dpcap_agent_recorder_order, whose sizes agree with its length. It points into the message.
struct recorder_order {
  struct dpcap_agent_recorder_order head;
  const char (*devices)[DPCAP_AGENT_DEVICE_BYTES];
  const uint8_t *programs;
  const char *filter;  // not ended by a zero
};

// Returns whether the message is well-formed.
bool recorder_order_read(const void *bytes, size_t size, struct recorder_order *order);
// Whether this device's packets are asked for.
bool recorder_order_has(const struct recorder_order *order, const char *device);

// The most bytes of memory and of a packet that a recorder can be asked for, and the least memory.
#define RECORDER_MOST_MEMORY (UINT64_C(64) << 30)
#define RECORDER_LEAST_MEMORY (UINT64_C(4) << 20)
#define RECORDER_MOST_SNAPLEN 262144u
