// What one session records of one lane: finds memory for the records of each burst, writes and publishes them. A thread
// of the application, in the lane's callback; one at a time.
#pragma once
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/library/clock.h"
#include "agent/library/datapath/box_ring.h"
#include "agent/library/datapath/filter.h"
#include "agent/library/datapath/record.h"
#include "agent/library/memory.h"
#include "agent/protocol.h"

struct stream {
  struct record_kind kind;
  const struct filter *filter;  // NULL: all packets. The agent's thread may change it: see stream_set_filter()
  // Of the session, shared by its lanes.
  uint8_t *segment_flags;
  uint8_t *data;
  uint32_t segments;
  uint32_t segment_bytes;
  // Of the lane, shared with the client. Only `consumed` is read, and not believed.
  struct dpcap_agent_shared_lane *shared;
  struct dpcap_agent_burst *bursts;
  uint32_t burst_mask;
  // Of a recorder, in place of the flags and bursts; NULL when a client reads.
  struct box_ring *ring;
  struct dpcap_box_lane *box_lane;
  uint32_t box_number;
  // Which of the ports that came to the lane's place it is attached to: packets of others are not its own.
  unsigned int life;
  // The truth that is published there.
  bool has_segment;
  uint32_t segment;
  uint32_t used;  // bytes of it
  uint64_t published;
  uint64_t accepted;
  uint64_t filtered;
  uint64_t full;
  uint64_t contended;  // of the lane, when it was last looked at
  uint64_t unmarked;   // packets that were lost since the last one that was recorded
};

// Has the stream use the memory of a session of so many lanes, of which it is this one. Agent's thread.
void stream_use(struct stream *stream, const struct memory *memory, uint32_t lanes, uint32_t lane);
// Gives the stream another filter. The one before may be in use until the thread that may be in the lane's callback now
// has left it. Agent's thread.
void stream_set_filter(struct stream *stream, const struct filter *filter);
// Notes how many packets have passed the lane unseen until now. The next record tells of those, and of others that are
// lost.
static inline void stream_miss(struct stream *stream, uint64_t contended) {
  stream->unmarked += contended - stream->contended;
  stream->contended = contended;
}
void stream_take(struct stream *stream, struct rte_mbuf **packets, uint16_t count, struct clock_time time);
