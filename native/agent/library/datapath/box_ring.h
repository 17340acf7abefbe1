// The segments of a black box, which a recorder's lanes take in turn, the oldest first. Threads of the application, in
// a callback, unless it says something else.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "agent/box.h"

// What decides is the agent's own memory: others who have the rights of this user may write to the box as well.
struct box_ring {
  struct dpcap_box_segment *table;  // in the box
  uint64_t next;                    // segments that were taken, or passed over
  uint8_t *taken;                   // a flag for each: a lane is writing it
  uint32_t segments;
};

// Takes the segment that was taken first of those that no lane is writing. Returns whether there is one.
bool box_ring_take(struct box_ring *ring, struct dpcap_box_lane *lane, uint32_t number, uint32_t *segment);
// Tells of the records that are complete: the segment now has `used` bytes of them.
void box_ring_publish(struct box_ring *ring, uint32_t segment, uint32_t used, uint32_t packets, uint64_t wall_ns);
// Lets others overwrite it.
void box_ring_leave(struct box_ring *ring, uint32_t segment);
