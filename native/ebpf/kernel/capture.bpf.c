// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The programs in the kernel. They run in the application's polling threads, at the entry and at the return of the
// functions by which a driver receives and sends, and copy packets into a ring that the engine reads.
//
// Linux 5.17 is the first with bpf_loop(). Nothing of the kernel's own is read, and of DPDK's the first line of an mbuf
// (lib/mbuf/rte_mbuf_core.h), which is the same in 22.11 to 26.07.
#include "ebpf/kernel/filter_slot.h"
#include "ebpf/kernel/maps.h"
#include "ebpf/kernel/probe.h"

// The stack pointer at a function's return, from that at its entry.
#if defined(__TARGET_ARCH_x86)
#define POPPED 8
#else
#define POPPED 0
#endif

static void add(__u64 *counter, __u64 count) { __sync_fetch_and_add(counter, count); }

// Returns what is kept for the thread that this is: nothing for one that has made no call that is captured.
static __always_inline struct thread *known_thread(void) {
  const __u64 id = bpf_get_current_pid_tgid();
  const __u32 *slot = bpf_map_lookup_elem(&slots, &id);
  return slot == NULL ? NULL : bpf_map_lookup_elem(&threads, slot);
}

// The same, also for one whose first such call this is. A thread that is one too many has nothing.
static struct thread *this_thread(void) {
  const __u64 id = bpf_get_current_pid_tgid();
  __u32 slot;
  const __u32 *known = bpf_map_lookup_elem(&slots, &id);
  if (known != NULL) {
    slot = *known;
  } else {
    if (used_threads >= MOST_THREADS) return NULL;
    slot = __sync_fetch_and_add(&used_threads, 1);
    if (slot >= MOST_THREADS) return NULL;
    bpf_map_update_elem(&slots, &id, &slot, BPF_ANY);
  }
  return bpf_map_lookup_elem(&threads, &slot);
}

// Notes that a call begins. Returns nothing for a queue that is not captured.
static __always_inline struct call *begin(struct pt_regs *regs, __u32 direction, struct thread **of) {
  const struct dpcap_probe_queue queue = {PT_REGS_PARM1(regs), direction, (__u32)bpf_get_attach_cookie(regs)};
  const __u32 *lane = bpf_map_lookup_elem(&queues, &queue);
  if (lane == NULL) return NULL;
  struct dpcap_probe_lane *counters = bpf_map_lookup_elem(&lanes, lane);
  if (counters == NULL) return NULL;
  struct thread *thread = this_thread();
  if (thread == NULL) {
    add(&counters->unseen, 1);
    return NULL;
  }
  const __u64 stack = PT_REGS_SP(regs);
  __u32 depth = thread->depth;
  // A call that ended without its return, by a longjmp, is not waited for.
  if (depth == 2 && thread->calls[1].stack <= stack) depth = 1;
  if (depth == 1 && thread->calls[0].stack <= stack) depth = 0;
  if (depth >= MOST_CALLS) {
    add(&counters->unseen, 1);
    return NULL;
  }
  struct call *call = &thread->calls[depth];
  thread->depth = depth + 1;
  call->stack = stack;
  call->packets = PT_REGS_PARM2(regs);
  call->lane = *lane;
  call->asked = PT_REGS_PARM3(regs) & 0xffff;
  call->taken = 0;
  call->examined = 0;
  call->refused = 0;
  call->filled = sizeof(struct dpcap_probe_burst);
  *of = thread;
  return call;
}

// Returns the number of the call that ends, or MOST_CALLS when its beginning was not seen. Threads whose calls are not
// captured pass here as well.
static __always_inline __u32 end(struct pt_regs *regs, struct thread **of) {
  struct thread *thread = known_thread();
  if (thread == NULL) return MOST_CALLS;
  const __u64 stack = PT_REGS_SP(regs) - POPPED;
  __u32 at = MOST_CALLS;
  if (thread->depth == 2 && thread->calls[1].stack == stack) at = 1;
  if (thread->depth >= 1 && thread->calls[0].stack == stack) at = 0;
  if (at < MOST_CALLS) thread->depth = at;
  *of = thread;
  return at;
}

// What loops work on. Their counters are in the thread's memory: the kernel's verifier would follow each value of a
// counter on the stack, and give up.
struct copying {
  struct thread *thread;
  __u32 number;
  __u32 goes_on;  // whether a full burst may be passed on in the middle of the call
};

// Copies what is still wanted of the next segment, or all of it. Returns whether that is the end.
static __always_inline long copy_from(struct thread *thread, __u32 number, const struct mbuf_line *line) {
  struct packet_copy *packet = &thread->packet;
  const __u32 at = packet->at, done = packet->done, wanted = packet->wanted, skipped = packet->skipped;
  if (number >= MOST_CALLS || skipped > line->data_len || done > wanted) return 1;
  __u32 bytes = line->data_len - skipped;
  if (bytes > wanted - done) bytes = wanted - done;
  if (bytes > DPCAP_PROBE_MOST_BYTES || done > DPCAP_PROBE_MOST_BYTES || at > DPCAP_PROBE_BURST_BYTES + 64) return 1;
  __u8 *to = thread->areas[number] + at + done;
  if (bpf_probe_read_user(to, bytes, (void *)(line->buf_addr + line->data_off + skipped)) != 0) return 1;
  packet->done = done + bytes;
  packet->skipped = skipped + bytes;
  if (done + bytes >= wanted) return 1;
  packet->skipped = 0;
  return bpf_probe_read_user(&packet->mbuf, sizeof packet->mbuf, (void *)(packet->mbuf + MBUF_NEXT)) != 0 ||
         packet->mbuf == 0;
}

static long copy_segment(__u32 index, struct copying *copy) {
  struct mbuf_line line;
  const void *mbuf = (const void *)copy->thread->packet.mbuf;
  return bpf_probe_read_user(&line, sizeof line, mbuf) != 0 || copy_from(copy->thread, copy->number, &line);
}

// Copies a packet up to its first `wanted` bytes. `line` is that of its first segment, which most have alone. Returns
// whether all of these are there.
static __always_inline __u32 copy_up_to(struct copying *copy, const struct mbuf_line *line, __u64 mbuf, __u32 wanted) {
  struct packet_copy *packet = &copy->thread->packet;
  packet->wanted = wanted;
  if (packet->done >= wanted) return 1;
  if (packet->mbuf != mbuf || !copy_from(copy->thread, copy->number, line))
    bpf_loop(MOST_SEGMENTS, copy_segment, copy, 0);
  return packet->done >= wanted;
}

static void pass_on(struct thread *thread, __u32 number, __u32 packets) {
  if (packets == 0 || number >= MOST_CALLS) return;
  struct call *call = &thread->calls[number];
  struct dpcap_probe_lane *counters = bpf_map_lookup_elem(&lanes, &call->lane);
  const __u32 filled = call->filled;
  if (counters == NULL || filled > AREA_BYTES) return;
  __u8 *area = thread->areas[number];
  struct dpcap_probe_burst *burst = (struct dpcap_probe_burst *)area;
  burst->time_ns = call->time_ns;
  burst->lane = call->lane;
  burst->packets = packets;
  burst->lost = counters->ringfull + counters->unread;
  // The engine looks by itself: to wake it for each burst would cost the application more than the copy.
  if (bpf_ringbuf_output(&ring, area, filled, BPF_RB_NO_WAKEUP) != 0) add(&counters->ringfull, packets);
  add(&counters->accepted, packets);
  call->taken = 0;
  call->filled = sizeof *burst;
}

#define REFUSED (~0u)
// Returns how many bytes of a packet are to be recorded, or REFUSED.
static __always_inline __u32 recorded_bytes(struct copying *copy, struct dpcap_probe_packet *packet,
                                            const struct mbuf_line *line, __u64 mbuf, __u32 len) {
  if (!settings.is_filtered) return len < settings.copy_bytes ? len : settings.copy_bytes;
  packet->caplen = len;
  if (!copy_up_to(copy, line, mbuf, len < DPCAP_PROBE_HEADER_BYTES ? len : DPCAP_PROBE_HEADER_BYTES)) return len;
  const int verdict = select_packet((struct dpcap_probe_header *)packet);
  if (verdict == DPCAP_PROBE_REFUSED) return REFUSED;
  packet->is_selected = verdict == DPCAP_PROBE_SELECTED;
  return packet->is_selected && len > settings.copy_bytes ? settings.copy_bytes : len;
}

static long copy_packet(__u32 index, struct copying *copy) {
  struct thread *thread = copy->thread;
  const __u32 number = copy->number;
  if (number >= MOST_CALLS) return 1;
  struct call *call = &thread->calls[number];
  if (call->filled > DPCAP_PROBE_BURST_BYTES) {
    if (!copy->goes_on) return 1;
    pass_on(thread, number, call->taken);
  }
  const __u32 at = call->filled;
  if (at > DPCAP_PROBE_BURST_BYTES) return 1;
  __u8 *area = thread->areas[number];
  struct dpcap_probe_packet *packet = (struct dpcap_probe_packet *)(area + at);
  struct mbuf_line line = {};
  const __u32 place = index & (DPCAP_PROBE_MOST_PACKETS - 1);
  const __u64 mbuf = thread->pointers[place];
  const __u32 is_there = bpf_probe_read_user(&line, sizeof line, (void *)mbuf) == 0;
  const __u32 len = line.pkt_len < DPCAP_PROBE_MOST_BYTES ? line.pkt_len : DPCAP_PROBE_MOST_BYTES;
  thread->packet = (struct packet_copy){mbuf, 0, at + sizeof *packet, 0, 0};
  *packet = (struct dpcap_probe_packet){.ol_flags = line.ol_flags,
                                        .len = line.pkt_len,
                                        .hash = line.hash,
                                        .vlan_tci = line.vlan_tci,
                                        .vlan_tci_outer = line.vlan_tci_outer};
  const __u32 wanted = is_there ? recorded_bytes(copy, packet, &line, mbuf, len) : 0;
  call->examined++;
  if (wanted == REFUSED) {
    call->refused++;
  } else {
    packet->is_read = is_there && copy_up_to(copy, &line, mbuf, wanted);
    const __u32 caplen = packet->is_read ? wanted : 0;
    packet->caplen = caplen;
    call->filled = (at + sizeof *packet + caplen + 7) & ~7u;
    call->taken++;
  }
  thread->kept[number][place] = call->taken;
  return 0;
}

// Copies the packets of a call. Returns how many it has looked at.
static __u32 copy_all(struct thread *thread, __u32 number, __u32 count, __u32 goes_on) {
  if (number >= MOST_CALLS) return 0;
  if (count > DPCAP_PROBE_MOST_PACKETS) count = DPCAP_PROBE_MOST_PACKETS;
  const void *array = (const void *)thread->calls[number].packets;
  if (bpf_probe_read_user(thread->pointers, count * sizeof(__u64), array) != 0) return 0;
  struct copying copy = {thread, number, goes_on};
  bpf_loop(count, copy_packet, &copy, 0);
  return thread->calls[number].examined;
}

static __always_inline struct dpcap_probe_lane *count_call(const struct call *call, __u32 count) {
  struct dpcap_probe_lane *counters = bpf_map_lookup_elem(&lanes, &call->lane);
  if (counters == NULL) return NULL;
  add(&counters->calls, 1);
  if (count >= call->asked && count > 0) add(&counters->full, 1);
  return counters;
}

static __always_inline void note(struct dpcap_probe_lane *counters, __u32 filtered, __u32 unread) {
  if (filtered > 0) add(&counters->filtered, filtered);
  if (unread > 0) add(&counters->unread, unread);
}

SEC("uprobe")
int rx_entry(struct pt_regs *regs) {
  struct thread *thread;
  begin(regs, DPCAP_PROBE_RX, &thread);
  return 0;
}

SEC("dpcap_rx")
int rx_return(struct pt_regs *regs) {
  struct thread *thread;
  const __u32 number = end(regs, &thread);
  if (number >= MOST_CALLS) return 0;
  struct call *call = &thread->calls[number];
  const __u32 count = PT_REGS_RC(regs) & 0xffff;
  struct dpcap_probe_lane *counters = count_call(call, count);
  if (counters == NULL || count == 0) return 0;
  call->time_ns = bpf_ktime_get_ns();
  const __u32 examined = copy_all(thread, number, count, 1);
  pass_on(thread, number, call->taken);
  note(counters, call->refused, count - examined);
  return 0;
}

// What was sent is the driver's to free, so it is copied before, and counts after.
SEC("dpcap_tx")
int tx_entry(struct pt_regs *regs) {
  struct thread *thread;
  struct call *call = begin(regs, DPCAP_PROBE_TX, &thread);
  if (call == NULL) return 0;
  call->time_ns = bpf_ktime_get_ns();
  copy_all(thread, call == &thread->calls[0] ? 0 : 1, call->asked, 0);
  return 0;
}

SEC("uretprobe")
int tx_return(struct pt_regs *regs) {
  struct thread *thread;
  const __u32 number = end(regs, &thread);
  if (number >= MOST_CALLS) return 0;
  struct call *call = &thread->calls[number];
  const __u32 count = PT_REGS_RC(regs) & 0xffff;
  struct dpcap_probe_lane *counters = count_call(call, count);
  if (counters == NULL) return 0;
  const __u32 examined = call->examined < count ? call->examined : count;
  if (examined == 0) {
    note(counters, 0, count);
    return 0;
  }
  const __u32 kept = thread->kept[number][(examined - 1) & (DPCAP_PROBE_MOST_PACKETS - 1)];
  pass_on(thread, number, kept);
  note(counters, examined - kept, count - examined);
  return 0;
}

// Tries a filter out, on the packet that is in the map.
SEC("dpcap_trial")
int try_filter(void *context) {
  const __u32 first = 0;
  struct dpcap_probe_header *header = bpf_map_lookup_elem(&trial, &first);
  return header == NULL ? DPCAP_PROBE_REFUSED : select_packet(header);
}

// bpf_probe_read_user() is only for programs that are under a licence compatible with the GPL.
char LICENSE[] SEC("license") = "Dual BSD/GPL";
