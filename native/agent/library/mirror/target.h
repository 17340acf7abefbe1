// Where the packets of mirrors go. The seam: a transmit queue of a port is one (port_target.h); others may come.
#pragma once
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/library/mirror/pool.h"

struct mirror_sent {
  uint16_t count;     // of the burst, from its first packet on: these are the target's now
  bool is_contended;  // another thread was sending there, and did not end in time: none was taken
};

struct mirror_target {
  // A thread of the application, in a callback. It does not wait, but for another thread that sends, and for a moment.
  struct mirror_sent (*send)(struct mirror_target *target, struct rte_mbuf **packets, uint16_t count);
  struct copy_pool pool;  // for the copies: drivers may take it that all mbufs of a queue are of one pool
  uint32_t frame_bytes;   // the longest frame that it takes
};
