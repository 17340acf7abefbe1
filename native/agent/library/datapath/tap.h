// What takes the bursts of a lane besides the streams of captures: mirrors, the watch over the queue that one sends on,
// and tunnels that learn from it where to send.
#pragma once
#include <rte_mbuf.h>
#include <stdint.h>

#include "agent/mirror.h"

// Every mirror may take packets of the same lane, and learn from it; besides, it may be the queue that some of them
// send on.
#define LANE_MAX_TAPS (2 * DPCAP_AGENT_MAX_MIRRORS + 1)

// The first member of whatever it is.
struct tap {
  // A thread of the application, in the lane's callback; one at a time.
  void (*take)(struct tap *tap, struct rte_mbuf **packets, uint16_t count);
  unsigned int life;  // which of the ports that came to the lane's place it is attached to; lane_attach_tap() sets it
};
