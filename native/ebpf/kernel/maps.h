// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// What the programs in the kernel keep. C, for BPF alone.
#pragma once
// libbpf's headers stand on the types of the kernel's, which have to come first.
// clang-format off
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
// clang-format on

#include "ebpf/kernel/probe.h"

// Threads that are known at a time, and calls of drivers within calls: a bonded port calls those of its members.
#define MOST_THREADS 64u
#define MOST_CALLS 2u
#define MOST_SEGMENTS 64u
// A burst that is almost full takes one packet more, and what is read of its segments before the last is known.
#define AREA_BYTES (DPCAP_PROBE_BURST_BYTES + 2 * 65536u + 128u)

// The first line of struct rte_mbuf.
struct mbuf_line {
  __u64 buf_addr;
  __u64 buf_iova;
  __u16 data_off;
  __u16 refcnt;
  __u16 nb_segs;
  __u16 port;
  __u64 ol_flags;
  __u32 packet_type;
  __u32 pkt_len;
  __u16 data_len;
  __u16 vlan_tci;
  __u32 hash;  // the RSS hash, in a union of two words
  __u32 hash_more;
  __u16 vlan_tci_outer;
  __u16 buf_len;
};
#define MBUF_NEXT 64

// A call that a thread is in.
struct call {
  __u64 stack;    // pointer at its entry, which tells the calls of a thread apart
  __u64 packets;  // address of the array of packets
  __u64 time_ns;
  __u32 lane;
  __u32 asked;     // packets
  __u32 taken;     // packets in the area
  __u32 examined;  // packets, those that were passed on or refused included
  __u32 refused;   // packets, by the filter
  __u32 filled;    // bytes of the area
  __u32 reserved;
};

// A packet that is being copied.
struct packet_copy {
  __u64 mbuf;     // the segment that is next
  __u32 skipped;  // bytes of that one, which are copied already
  __u32 at;       // of the area, where its bytes begin
  __u32 done;     // bytes
  __u32 wanted;
};

struct thread {
  __u32 depth;
  __u32 reserved;
  struct call calls[MOST_CALLS];
  struct packet_copy packet;
  __u64 pointers[DPCAP_PROBE_MOST_PACKETS];
  __u16 kept[MOST_CALLS][DPCAP_PROBE_MOST_PACKETS];  // how many of a call's packets up to each one are in the area
  __u8 areas[MOST_CALLS][AREA_BYTES];
};

const volatile struct dpcap_probe_settings settings;
__u32 used_threads;

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 24);  // the engine says how much
} ring SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);  // the engine says how many
  __type(key, __u32);
  __type(value, struct dpcap_probe_lane);
} lanes SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 4096);
  __type(key, struct dpcap_probe_queue);
  __type(value, __u32);
} queues SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, MOST_THREADS);
  __type(key, __u64);
  __type(value, __u32);
} slots SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, MOST_THREADS);
  __type(key, __u32);
  __type(value, struct thread);
} threads SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct dpcap_probe_header);
} trial SEC(".maps");
