// A black box: the file in which a recorder inside an application keeps the newest packets, and that outlives the
// application. The agent writes it, and what it reads back decides nothing; everybody else reads. C and C++ include
// this file. All numbers are little-endian.
//
// A header, a table of lanes, a table of segments, then the segments: records of pcapng (Enhanced Packet Blocks, times
// in nanoseconds), one behind the other. A lane writes into a segment of its own. When that is full, it takes the one
// that was taken first of all that no lane is writing, and so overwrites the oldest packets.
//
// What a thread was writing when the application died is behind dpcap_box_segment.used, which is set when the records
// of a burst are complete. Who reads while the recorder goes on compares dpcap_box_segment.generation before and after.
#pragma once

#include "agent/protocol.h"

#define DPCAP_BOX_MAGIC "dpcapbox"
#define DPCAP_BOX_VERSION 1u
#define DPCAP_BOX_FOLDER "dpcap_recorder"
#define DPCAP_BOX_FILE "dpcap_box_"
#define DPCAP_BOX_LANES 256u
#define DPCAP_BOX_HEADER_BYTES 4096u
#define DPCAP_BOX_FILTER_BYTES 1024u

struct dpcap_box_header {
  char magic[8];
  uint32_t version;
  uint32_t lane_slots;  // size of the table behind the header
  uint32_t segments;
  uint32_t segment_bytes;
  uint64_t segments_offset;  // of the table
  uint64_t data_offset;
  uint64_t file_bytes;
  uint32_t pid;  // in the application's PID namespace
  uint32_t snaplen;
  uint64_t process_start_ticks;  // as in /proc/PID/stat
  uint64_t started_wall_ns;      // when the recorder was switched on
  uint64_t started_steady_ns;
  uint64_t tsc_hz;
  uint32_t lane_count;  // so many of the slots are in use
  uint32_t reserved;
  char boot_id[40];
  char program[64];
  char file_prefix[64];
  char dpdk_version[64];
  char filter[DPCAP_BOX_FILTER_BYTES];  // what the user typed; empty for all packets
};

struct dpcap_box_lane {
  struct dpcap_agent_shared_lane counters;  // full: no segment was to be had, which takes more lanes than segments
  uint64_t overwritten_until_ns;            // time of day of the newest packet that this lane has overwritten
  uint32_t interface;                       // number of the interface in the records
  uint32_t direction;
  uint16_t port;
  uint16_t queue;
  uint32_t reserved;
  char device[DPCAP_AGENT_DEVICE_BYTES];
  uint64_t unused[5];
};

struct dpcap_box_segment {
  uint64_t generation;  // how many had been taken when this one was, and one more; 0: nothing is in it
  uint64_t first_ns;    // time of day of its first packet
  uint64_t last_ns;
  uint32_t lane;
  uint32_t used;  // bytes of complete records
  uint64_t packets;
  uint64_t unused[3];
};

static inline uint64_t dpcap_box_segments_offset(void) {
  return DPCAP_BOX_HEADER_BYTES + (uint64_t)DPCAP_BOX_LANES * sizeof(struct dpcap_box_lane);
}
static inline uint64_t dpcap_box_data_offset(uint32_t segments) {
  const uint64_t end = dpcap_box_segments_offset() + (uint64_t)segments * sizeof(struct dpcap_box_segment);
  return (end + DPCAP_AGENT_PAGE - 1) / DPCAP_AGENT_PAGE * DPCAP_AGENT_PAGE;
}
