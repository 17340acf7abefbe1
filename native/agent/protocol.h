// What the agent inside an application and an engine outside say to each other: messages over a socket, and the layout
// of the memory that a session's packets pass through. C and C++ include this file. All numbers are little-endian, as
// on every machine that DPDK's capture libraries run on.
//
// A client connects to <runtime dir>/dpcap_agent_<pid> (AF_UNIX, SOCK_SEQPACKET; same user or root). Each message is
// answered by one with the same operation and sequence, and an errno. A session is a connection: its end ends what it
// had. An operation that the agent does not know is answered with ENOSYS, anything malformed with EINVAL and the end.
#pragma once

#ifdef __cplusplus
#include <cstdint>
#else
#include <stdint.h>
#endif

#define DPCAP_AGENT_MAGIC 0x61637064u  // "dpca"
#define DPCAP_AGENT_VERSION 1
#define DPCAP_AGENT_SOCKET "dpcap_agent_"
#define DPCAP_AGENT_MAX_MESSAGE 65536u
#define DPCAP_AGENT_MAX_LANES 256u
#define DPCAP_AGENT_MAX_SESSIONS 16u
#define DPCAP_AGENT_DEVICE_BYTES 64u

enum dpcap_agent_operation {
  DPCAP_AGENT_HELLO = 1,    // answered by dpcap_agent_hello and its ports
  DPCAP_AGENT_PREPARE = 2,  // dpcap_agent_prepare: makes the memory; answered by dpcap_agent_prepared and descriptors
  DPCAP_AGENT_OPEN = 3,     // puts the callbacks in place: packets flow
  DPCAP_AGENT_STOP = 4,     // takes them away; answered when no thread of the application is inside any more, or EBUSY
  DPCAP_AGENT_FILTER = 5,   // dpcap_agent_programs: other filters from now on; EBUSY: the ones before are still in use
  DPCAP_AGENT_STATUS = 6,   // answered by a dpcap_agent_status for each session that the agent has

  // The recorder, which outlives the connection; there is one. What it keeps is in a black box: see box.h.
  DPCAP_AGENT_RECORDER_ON = 7,      // dpcap_agent_recorder_order; EALREADY: there is one
  DPCAP_AGENT_RECORDER_OFF = 8,     // ends it and removes the box; ENOENT: there is none; EBUSY: ask again
  DPCAP_AGENT_RECORDER_STATUS = 9,  // answered by dpcap_agent_recorder and a descriptor of the box, or ENOENT

  // Mirrors, which outlive the connection: see mirror.h, and control/mirroring.h for what each errno means.
  DPCAP_AGENT_MIRROR_SET = 10,    // dpcap_mirror_order; answered by its dpcap_mirror_status
  DPCAP_AGENT_MIRROR_RENEW = 11,  // dpcap_mirror_name; answered by its dpcap_mirror_status
  DPCAP_AGENT_MIRROR_CLEAR = 12,  // dpcap_mirror_name; answered by its last dpcap_mirror_status
  DPCAP_AGENT_MIRROR_LIST = 13,   // answered by a dpcap_mirror_status for each

  // Mirrors that the NIC carries out, which outlive the connection: see wire/flow.h, and library/flow for what errors
  // mean.
  DPCAP_AGENT_FLOW_SET = 14,     // dpcap_flow_order; answered by its dpcap_flow_status, or a dpcap_flow_refusal
  DPCAP_AGENT_FLOW_RENEW = 15,   // dpcap_mirror_name; answered by its dpcap_flow_status
  DPCAP_AGENT_FLOW_CLEAR = 16,   // dpcap_mirror_name; answered by its last dpcap_flow_status
  DPCAP_AGENT_FLOW_LIST = 17,    // answered by a dpcap_flow_status for each
  DPCAP_AGENT_TX_LOOPBACK = 18,  // dpcap_tx_loopback; answered by an errno

  // Mirrors into tunnels, and what is told of mirrors of either kind: see wire/tunnel.h. They are renewed by
  // MIRROR_RENEW.
  DPCAP_AGENT_MIRROR_SET_TUNNEL = 19,  // dpcap_mirror_tunnel_order; answered by its dpcap_mirror_report
  DPCAP_AGENT_MIRROR_END = 20,         // as MIRROR_CLEAR; answered by its last dpcap_mirror_report
  DPCAP_AGENT_MIRROR_REPORT = 21,      // answered by a dpcap_mirror_report for each

  // dpcap_kernel_port_order; answered by a dpcap_kernel_port, or a dpcap_kernel_port_refusal: see wire/kernel_port.h.
  DPCAP_AGENT_KERNEL_PORT = 22,
};

struct dpcap_agent_header {
  uint32_t magic;
  uint16_t version;
  uint16_t operation;
  uint32_t length;  // of the whole message
  uint32_t sequence;
  int32_t error;  // of an answer: 0 or an errno
  uint32_t reserved;
};

enum dpcap_agent_feature {
  DPCAP_AGENT_COMPILES = 2,  // filters are compiled to machine code, not interpreted
  DPCAP_AGENT_INJECTED = 4,  // it was loaded when DPDK was set up already: into a running application
  DPCAP_AGENT_MIRRORS = 8,   // it can mirror: the process is a primary, and has the functions of DPDK that this takes
  DPCAP_AGENT_TUNNELS = 16,  // it can mirror into tunnels
};

struct dpcap_agent_hello {
  uint32_t pid;
  uint32_t process_type;  // rte_proc_type_t: 0 primary, 1 secondary
  uint32_t features;
  uint32_t port_count;  // of the dpcap_agent_port behind this
  uint64_t tsc_hz;
  char dpdk_version[64];
  char program[64];
};

struct dpcap_agent_port {
  uint16_t id;
  uint16_t rx_queues;
  uint16_t tx_queues;
  uint16_t mtu;
  uint8_t mac[6];
  uint16_t reserved1;
  uint32_t link_mbps;  // 0 when the link is down
  uint32_t reserved2;
  char device[DPCAP_AGENT_DEVICE_BYTES];
  char driver[32];
};

enum dpcap_agent_format { DPCAP_AGENT_PCAP = 0, DPCAP_AGENT_PCAPNG = 1 };
enum dpcap_agent_direction { DPCAP_AGENT_RX = 1, DPCAP_AGENT_TX = 2 };

struct dpcap_agent_lane {
  uint16_t port;
  uint16_t queue;
  uint32_t direction;
  uint32_t interface;  // number of the interface in pcapng records
  char device[DPCAP_AGENT_DEVICE_BYTES];
};

// Behind it: the lanes, then the filter programs for received and for sent packets (struct ebpf_insn, 8 bytes each).
struct dpcap_agent_prepare {
  uint64_t memory_bytes;
  uint32_t format;
  uint32_t nanoseconds;  // else microseconds
  uint32_t snaplen;
  uint32_t lane_count;
  uint32_t rx_instructions;
  uint32_t tx_instructions;
};

// Behind it: the programs, as with dpcap_agent_prepare.
struct dpcap_agent_programs {
  uint32_t rx_instructions;
  uint32_t tx_instructions;
};

// Behind it: the names of devices (DPCAP_AGENT_DEVICE_BYTES each), the programs as with dpcap_agent_prepare, then the
// filter's text, which is kept in the box.
struct dpcap_agent_recorder_order {
  uint64_t memory_bytes;
  uint32_t snaplen;
  uint32_t directions;    // enum dpcap_agent_direction, or both
  uint32_t device_count;  // 0: all devices. Those that come later are recorded as well
  uint32_t rx_instructions;
  uint32_t tx_instructions;
  uint32_t filter_bytes;
};

struct dpcap_agent_recorder {
  uint32_t lanes;  // that packets come from now
  uint32_t reserved;
  char path[256];  // of the box, as the application sees it
};

enum dpcap_agent_state {
  DPCAP_AGENT_PREPARED = 0,
  DPCAP_AGENT_CAPTURING = 1,
  DPCAP_AGENT_ENDING = 2,  // a thread of the application does not leave the callback: the memory stays until it does
};

// The state's name, as people and programs are told.
static inline const char *dpcap_agent_state_name(uint32_t state) {
  if (state == DPCAP_AGENT_PREPARED) return "prepared";
  return state == DPCAP_AGENT_CAPTURING ? "capturing" : "ending";
}

struct dpcap_agent_status {
  uint32_t client_pid;  // in the application's PID namespace; 0 when it is in another one
  uint32_t state;
  uint32_t lanes;
  uint32_t snaplen;
  uint64_t memory_bytes;
  uint64_t accepted;
  uint64_t filtered;
  uint64_t full;
  uint64_t contended;
};

// Its descriptors, in this order: the control memory, which the client may write, and the data, which it may only read.
struct dpcap_agent_prepared {
  uint32_t segments;
  uint32_t bursts;  // a lane's ring of bursts has so many, a power of two
  uint32_t huge_pages;
  uint32_t segment_bytes;
};

// The control memory: a flag for each segment, then each lane's counters, then each lane's ring of bursts.
//
// The agent trusts nothing in it. It takes the free segment with the lowest number, and believes the client only that a
// segment is free and how many bursts it has read: wrong words cost the client packets, and nobody else anything.

struct dpcap_agent_burst {
  uint32_t segment;
  uint32_t begin;  // of the records, in the segment
  uint32_t bytes;
  uint32_t packets;       // 0: the lane is done with this segment
  uint64_t steady_ns;     // CLOCK_MONOTONIC; never decreases within a lane
  uint64_t packet_bytes;  // of the records' packets
};

enum dpcap_agent_lane_end {
  DPCAP_AGENT_GOES_ON = 0,
  DPCAP_AGENT_PORT_GONE = 1,
  DPCAP_AGENT_QUEUE_GONE = 2,
};

// The agent writes the first two cache lines, the client the third.
struct dpcap_agent_shared_lane {
  uint64_t published;  // bursts in the ring since the session was opened; the records are complete
  uint32_t is_inside;  // a thread of the application is in the callback
  uint32_t ended;      // enum dpcap_agent_lane_end; it may come back
  uint64_t unused1[6];

  uint64_t accepted;  // packets that the filter selected
  uint64_t filtered;
  uint64_t full;       // lost: no free segment, or no room in the ring of bursts
  uint64_t contended;  // lost: another thread was in the callback of the same lane
  uint64_t unused2[4];

  uint64_t consumed;  // bursts that the client is done with
  uint64_t unused3[7];
};

#define DPCAP_AGENT_PAGE 4096u

static inline uint64_t dpcap_agent_lanes_offset(uint32_t segments) {
  return (segments + DPCAP_AGENT_PAGE - 1) / DPCAP_AGENT_PAGE * DPCAP_AGENT_PAGE;
}
static inline uint64_t dpcap_agent_bursts_offset(uint32_t segments, uint32_t lanes) {
  return dpcap_agent_lanes_offset(segments) + (uint64_t)lanes * sizeof(struct dpcap_agent_shared_lane);
}
static inline uint64_t dpcap_agent_control_bytes(uint32_t segments, uint32_t lanes, uint32_t bursts) {
  return dpcap_agent_bursts_offset(segments, lanes) + (uint64_t)lanes * bursts * sizeof(struct dpcap_agent_burst);
}
