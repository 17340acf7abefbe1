// Learns the MAC address of a neighbour from what the receive queues of a port bring. Agent's thread.
#pragma once
#include <stdint.h>

#include "agent/library/datapath/lane.h"
#include "agent/library/tunnel/neighbour.h"
#include "agent/protocol.h"

struct learner_lane {
  struct tap tap;  // comes first
  struct neighbour *neighbour;
  struct lane *lane;
};

struct learner {
  uint16_t port;
  struct neighbour *neighbour;
  uint32_t lane_count;
  struct learner_lane lanes[DPCAP_AGENT_MAX_LANES];
};

// Begins with nothing: see learner_follow().
void learner_begin(struct learner *learner, uint16_t port, struct neighbour *neighbour);
// Has packets of queues that are new looked at, too. Returns 0 or an errno: ENOMEM, EUSERS, or what ethdev says.
int learner_follow(struct learner *learner);
// From here no more packets are looked at; threads may still be inside: see lanes_mark().
void learner_end(struct learner *learner);
