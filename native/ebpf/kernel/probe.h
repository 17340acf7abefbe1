// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// What the programs in the kernel (capture.bpf.c) and the engine say to one another. C and C++.
#pragma once
#include <linux/types.h>

#define DPCAP_PROBE_RX 1  // as Direction
#define DPCAP_PROBE_TX 2

#define DPCAP_PROBE_MOST_PACKETS 512u  // of one call that are looked at
#define DPCAP_PROBE_MOST_BYTES 65535u  // of one packet
#define DPCAP_PROBE_BURST_BYTES \
  (128u * 1024)  // a burst that has so many is passed on, and the call goes on with the next

#define DPCAP_PROBE_HEADER_BYTES 256u  // of a packet that a filter sees here

// What a filter says here of a packet. It is undecided where it would have to look beyond the header: then all of the
// packet is copied, and the engine's filter decides.
#define DPCAP_PROBE_REFUSED 0
#define DPCAP_PROBE_SELECTED 1
#define DPCAP_PROBE_UNDECIDED 2

// The function that decides begins with a number that nothing else has, and is of so many instructions: the engine puts
// a filter in their place before it loads the programs.
#define DPCAP_PROBE_FILTER_MARK 0x6470636170666c74
#define DPCAP_PROBE_FILTER_INSNS 16384

// Constants of the programs.
struct dpcap_probe_settings {
  __u32 copy_bytes;  // most bytes of a packet that are recorded
  __u32 is_filtered;
};

// A queue of a process, by what its driver is called with. The process is the number that its probes carry.
struct dpcap_probe_queue {
  __u64 address;
  __u32 direction;
  __u32 process;
};

// What is counted for a lane. The programs write it, the engine reads it where it lies.
struct dpcap_probe_lane {
  __u64 accepted;  // packets that were passed on, or were lost for want of room
  __u64 ringfull;  // of these, the latter
  __u64 unread;  // packets that were not looked at: more in a call than is provided for, or their memory was not there
  __u64 calls;   // of the driver's function
  __u64 full;    // of these, those that gave or took as many packets as were asked for
  __u64 unseen;  // calls that were not looked at: of more threads, or more in one another, than is provided for
  __u64 filtered;  // packets that the filter here has refused
  __u64 reserved;
};

// A burst in the ring, with its packets behind it.
struct dpcap_probe_burst {
  __u64 time_ns;  // CLOCK_MONOTONIC; when received packets were given, and before packets were sent
  __u32 lane;
  __u32 packets;
  __u64 lost;  // of the lane's packets until then: those without room, and those that were not looked at
};

// A packet in a burst, with its bytes behind it. Each begins at a multiple of 8 bytes from the burst.
struct dpcap_probe_packet {
  __u64 ol_flags;
  __u32 len;     // of the packet
  __u32 hash;    // of the NIC's, where ol_flags say that there is one
  __u16 caplen;  // of what was copied of it; unless it was read, 0
  __u16 vlan_tci;
  __u16 vlan_tci_outer;
  __u8 is_read;
  __u8 is_selected;  // by the filter here; else the engine's decides
};

// A packet as a filter sees it here. `caplen` is that of the whole packet, of which the first bytes are there.
struct dpcap_probe_header {
  struct dpcap_probe_packet packet;
  __u8 bytes[DPCAP_PROBE_HEADER_BYTES];
};
