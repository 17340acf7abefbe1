// What is said about mirrors between the agent inside an application and those outside; protocol.h has the frame. A
// mirror copies packets of one port of the application to another one, in the application. It outlives the connection
// that set it, and ends when it is cleared, when its lease runs out, or when a port of its goes. Little-endian numbers.
#pragma once

#include "agent/protocol.h"

#define DPCAP_AGENT_MAX_MIRRORS 16u
#define DPCAP_MIRROR_MOST_LEASE 604800u  // seconds: seven days
#define DPCAP_MIRROR_LEAST_SNAPLEN 14u
#define DPCAP_MIRROR_MOST_SNAPLEN 262144u
#define DPCAP_MIRROR_LAST_QUEUE 0xffffu
#define DPCAP_MIRROR_FILTER_BYTES 256u

enum dpcap_mirror_flag {
  DPCAP_MIRROR_PUSH_VLAN = 1,     // an 802.1Q tag, vlan_tci, in front of those that the copies have
  DPCAP_MIRROR_BY_REFERENCE = 2,  // the same mbuf is sent, with its reference count raised
  DPCAP_MIRROR_TUNNEL = 4,  // in a status alone: its copies go into a tunnel (wire/tunnel.h), out of the target port
};

// Behind it: the filter programs for received and for sent packets (struct ebpf_insn, 8 bytes each), then the filter's
// text, for people.
struct dpcap_mirror_order {
  uint32_t id;  // chosen by the client, which can name the mirror before it knows whether it was set; not 0
  uint32_t owner_pid;
  uint64_t owner_start_ticks;
  uint32_t lease_seconds;
  uint32_t directions;  // enum dpcap_agent_direction, or both
  uint32_t snaplen;
  uint32_t flags;  // enum dpcap_mirror_flag
  uint16_t source_port;
  uint16_t target_port;
  uint16_t target_queue;  // or DPCAP_MIRROR_LAST_QUEUE
  uint16_t vlan_tci;
  uint32_t rx_instructions;
  uint32_t tx_instructions;
  uint32_t filter_bytes;
  uint32_t reserved;
  char source_device[DPCAP_AGENT_DEVICE_BYTES];
  char target_device[DPCAP_AGENT_DEVICE_BYTES];
};

// Which mirror is meant. To renew its lease takes its owner; to clear it anybody may.
struct dpcap_mirror_name {
  uint32_t id;
  uint32_t owner_pid;
  uint64_t owner_start_ticks;
  uint32_t lease_seconds;
  uint32_t reserved;
};

enum dpcap_mirror_state {
  DPCAP_MIRROR_ON = 0,
  DPCAP_MIRROR_ENDING = 1,  // a thread of the application is still in it
  DPCAP_MIRROR_ENDED = 2,  // by itself: see dpcap_mirror_end. It is told of until it is cleared, or its place is needed
};

enum dpcap_mirror_end {
  DPCAP_MIRROR_CLEARED = 0,
  DPCAP_MIRROR_LEASE_OVER = 1,
  DPCAP_MIRROR_SOURCE_GONE = 2,
  DPCAP_MIRROR_TARGET_GONE = 3,
  DPCAP_MIRROR_TARGET_STOPPED = 4,
  DPCAP_MIRROR_QUEUE_USED = 5,  // the application has begun to send on the target's queue
  DPCAP_MIRROR_FAST_FREE = 6,   // by reference: a port has begun to free mbufs without a look at their references
};

// The names of a state and of an end, as programs are told.
static inline const char *dpcap_mirror_state_name(uint32_t state) {
  if (state == DPCAP_MIRROR_ON) return "on";
  return state == DPCAP_MIRROR_ENDING ? "ending" : "ended";
}
static inline const char *dpcap_mirror_end_name(uint32_t end) {
  switch (end) {
    case DPCAP_MIRROR_LEASE_OVER:
      return "lease-over";
    case DPCAP_MIRROR_SOURCE_GONE:
      return "source-gone";
    case DPCAP_MIRROR_TARGET_GONE:
      return "target-gone";
    case DPCAP_MIRROR_TARGET_STOPPED:
      return "target-stopped";
    case DPCAP_MIRROR_QUEUE_USED:
      return "queue-used";
    case DPCAP_MIRROR_FAST_FREE:
      return "fast-free";
    default:
      return "cleared";
  }
}

// Of each packet that a filter has selected exactly one of sent, refused, nombuf and contended tells what became of it,
// or one of dpcap_mirror_tunnel_counters.
struct dpcap_mirror_counters {
  uint64_t filtered;   // not selected
  uint64_t matched;    // selected
  uint64_t copied;     // of these: for which there was an mbuf. By reference: all
  uint64_t sent;       // taken by the target
  uint64_t refused;    // not taken: the target's queue is full, or stopped; by reference also: not fit for its driver
  uint64_t nombuf;     // no mbuf was free for the copy: the target has not sent those that it has
  uint64_t contended;  // another thread was sending on the target's queue
  uint64_t missed;     // passed unseen, because another thread was in the callback of the same queue; not in matched
  uint64_t cut;        // of the copies: shorter than the packet, because the target takes no longer frame
};

struct dpcap_mirror_status {
  uint32_t id;
  uint32_t state;   // enum dpcap_mirror_state
  uint32_t reason;  // enum dpcap_mirror_end, of one that has ended
  uint32_t owner_pid;
  uint64_t owner_start_ticks;
  uint32_t lease_left;  // seconds
  uint32_t directions;
  uint32_t snaplen;
  uint32_t flags;
  uint16_t source_port;
  uint16_t target_port;
  uint16_t target_queue;
  uint16_t vlan_tci;
  uint32_t lanes;  // queues and directions that packets come from
  uint32_t reserved;
  struct dpcap_mirror_counters counters;
  char source_device[DPCAP_AGENT_DEVICE_BYTES];
  char target_device[DPCAP_AGENT_DEVICE_BYTES];
  char filter[DPCAP_MIRROR_FILTER_BYTES];
};
