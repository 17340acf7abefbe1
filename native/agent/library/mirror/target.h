// Where the packets of mirrors go. The seam: a transmit queue of a port is one (port_target.h), and a tunnel to a
// collector another (tunnel/tunnel_target.h).
#pragma once
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/library/mirror/pool.h"

#define MIRROR_BURST 64u  // packets that are sent at once, at most

struct mirror_burst {
  struct rte_mbuf **packets;
  uint16_t count;
  uint16_t port;  // that they were received or sent by
  uint32_t direction;
  uint64_t shortened;  // a bit for each: the packet that it is a copy of is longer
};

// Packets that are not sent to a target, by the reason.
struct mirror_left_out {
  uint16_t unfit;  // by reference: its driver would not take them as they are
  uint16_t own;
  uint16_t unresolved;
  uint16_t limited;
};

struct mirror_sent {
  uint16_t count;     // of the burst, from its first packet on: these are the target's now
  bool is_contended;  // another thread was sending there, and did not end in time: none was taken
};

struct mirror_target {
  // Chooses, before anything is copied: those that are wanted come to the front, in their order, and the others are
  // counted. Returns how many are wanted. NULL: all are. A thread of the application, in a callback.
  uint16_t (*admit)(struct mirror_target *target, struct rte_mbuf **packets, uint16_t count,
                    struct mirror_left_out *left_out);
  // A thread of the application, in a callback. It does not wait, but for another thread that sends, and for a moment.
  // In front of each of the packets is the usual headroom, but for a VLAN tag.
  struct mirror_sent (*send)(struct mirror_target *target, const struct mirror_burst *burst);
  struct copy_pool pool;  // for the copies: drivers may take it that all mbufs of a queue are of one pool
  uint32_t frame_bytes;   // the longest frame that it takes
  bool takes_segments;    // a packet may be of several mbufs
};
