// What a mirror in hardware is asked for, read from a message. Agent's thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "agent/wire/flow.h"

// The parts of a dpcap_flow_order, whose sizes agree with its length.
struct flow_order {
  struct dpcap_flow_order head;
  struct dpcap_flow_match matches[DPCAP_FLOW_MOST_RULES];
  char text[DPCAP_FLOW_TEXT_BYTES];
};

// Returns whether the message is well-formed. Whether its ports are there is another question.
bool flow_order_read(const void *bytes, size_t size, struct flow_order *order);
