// The memory of a session, which the agent makes and the client maps. Agent's thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/protocol.h"

struct memory {
  int control_fd;
  int data_fd;
  uint8_t *control;
  uint8_t *data;
  size_t control_bytes;
  size_t data_bytes;
  uint32_t segments;
  uint32_t segment_bytes;
  uint32_t bursts;
  bool is_huge;
};

// Makes memory for so many lanes, about `data_bytes` of it for records, and never fewer than two segments a lane: huge
// pages where many are free, so that the application keeps its share. All of it has been touched: what is missing shows
// here, not in the application's polling thread. Returns 0 or an errno, and then holds nothing.
int memory_make(struct memory *memory, uint64_t data_bytes, uint32_t lanes);
void memory_free(struct memory *memory);

static inline struct dpcap_agent_shared_lane *memory_lane(const struct memory *memory, uint32_t lane) {
  return (struct dpcap_agent_shared_lane *)(void *)(memory->control + dpcap_agent_lanes_offset(memory->segments)) +
         lane;
}
static inline struct dpcap_agent_burst *memory_bursts(const struct memory *memory, uint32_t lanes, uint32_t lane) {
  uint8_t *const first = memory->control + dpcap_agent_bursts_offset(memory->segments, lanes);
  return (struct dpcap_agent_burst *)(void *)first + (size_t)lane * memory->bursts;
}
