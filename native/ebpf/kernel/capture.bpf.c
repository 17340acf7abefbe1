// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The programs in the kernel. They run in the application's polling threads, at the entry and at the return of the
// functions by which a driver receives and sends, and copy packets into a ring that the engine reads.
//
// Linux 5.17 is the first with bpf_loop(). Nothing of the kernel's own is read, and of DPDK's the first line of an mbuf
// (lib/mbuf/rte_mbuf_core.h), which is the same in 22.11 to 26.07.
#include "ebpf/kernel/maps.h"
#include "ebpf/kernel/probe.h"

// The stack pointer at a function's return, from that at its entry.
#if defined(__TARGET_ARCH_x86)
#define POPPED 8
#else
#define POPPED 0
#endif

static void add(__u64 *counter, __u64 count) { __sync_fetch_and_add(counter, count); }

// Returns what is kept for the thread that this is. A thread that is one too many has nothing.
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
  call->copied = 0;
  call->filled = sizeof(struct dpcap_probe_burst);
  *of = thread;
  return call;
}

// Returns the number of the call that ends, or MOST_CALLS when its beginning was not seen.
static __always_inline __u32 end(struct pt_regs *regs, struct thread *thread) {
  const __u64 stack = PT_REGS_SP(regs) - POPPED;
  __u32 at = MOST_CALLS;
  if (thread->depth == 2 && thread->calls[1].stack == stack) at = 1;
  if (thread->depth >= 1 && thread->calls[0].stack == stack) at = 0;
  if (at < MOST_CALLS) thread->depth = at;
  return at;
}

// What loops work on. Their counters are in the thread's memory: the kernel's verifier would follow each value of a
// counter on the stack, and give up.
struct copying {
  struct thread *thread;
  __u32 number;
  __u32 goes_on;  // whether a full burst may be passed on in the middle of the call
};

static long copy_segment(__u32 index, struct copying *copy) {
  struct thread *thread = copy->thread;
  struct packet_copy *packet = &thread->packet;
  const __u32 number = copy->number;
  struct mbuf_line line;
  if (number >= MOST_CALLS || bpf_probe_read_user(&line, sizeof line, (void *)packet->mbuf) != 0) return 1;
  const __u32 at = packet->at, done = packet->done, wanted = packet->wanted;
  __u32 bytes = line.data_len;
  if (bytes > wanted - done) bytes = wanted - done;
  if (bytes > DPCAP_PROBE_MOST_BYTES || done > DPCAP_PROBE_MOST_BYTES || at > DPCAP_PROBE_BURST_BYTES + 64) return 1;
  __u8 *to = thread->areas[number] + at + done;
  if (bpf_probe_read_user(to, bytes, (void *)(line.buf_addr + line.data_off)) != 0) return 1;
  packet->done = done + bytes;
  if (done + bytes >= wanted) return 1;
  return bpf_probe_read_user(&packet->mbuf, sizeof packet->mbuf, (void *)(packet->mbuf + MBUF_NEXT)) != 0 ||
         packet->mbuf == 0;
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
  // The engine looks by itself: to wake it for each burst would cost the application more than the copy.
  if (bpf_ringbuf_output(&ring, area, filled, BPF_RB_NO_WAKEUP) != 0) add(&counters->ringfull, packets);
  add(&counters->accepted, packets);
  call->taken = 0;
  call->filled = sizeof *burst;
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
  const __u64 mbuf = thread->pointers[index & (DPCAP_PROBE_MOST_PACKETS - 1)];
  const long failed = bpf_probe_read_user(&line, sizeof line, (void *)mbuf);
  __u32 wanted = line.pkt_len;
  if (wanted > settings.copy_bytes) wanted = settings.copy_bytes;
  thread->packet.mbuf = mbuf;
  thread->packet.at = at + sizeof *packet;
  thread->packet.done = 0;
  thread->packet.wanted = wanted;
  if (failed == 0 && wanted > 0) bpf_loop(MOST_SEGMENTS, copy_segment, copy, 0);
  packet->ol_flags = line.ol_flags;
  packet->len = line.pkt_len;
  packet->is_read = failed == 0 && thread->packet.done == wanted;
  packet->caplen = packet->is_read ? wanted : 0;
  packet->vlan_tci = line.vlan_tci;
  packet->vlan_tci_outer = line.vlan_tci_outer;
  call->filled = (at + sizeof *packet + packet->caplen + 7) & ~7u;
  call->taken++;
  call->copied++;
  return 0;
}

// Copies the packets of a call. Returns how many it passes on or has in its area.
static __u32 copy_all(struct thread *thread, __u32 number, __u32 count, __u32 goes_on) {
  if (number >= MOST_CALLS) return 0;
  if (count > DPCAP_PROBE_MOST_PACKETS) count = DPCAP_PROBE_MOST_PACKETS;
  const void *array = (const void *)thread->calls[number].packets;
  if (bpf_probe_read_user(thread->pointers, count * sizeof(__u64), array) != 0) return 0;
  struct copying copy = {thread, number, goes_on};
  bpf_loop(count, copy_packet, &copy, 0);
  return thread->calls[number].copied;
}

static __always_inline struct dpcap_probe_lane *count_call(const struct call *call, __u32 count) {
  struct dpcap_probe_lane *counters = bpf_map_lookup_elem(&lanes, &call->lane);
  if (counters == NULL) return NULL;
  add(&counters->calls, 1);
  if (count >= call->asked && count > 0) add(&counters->full, 1);
  return counters;
}

SEC("uprobe")
int rx_entry(struct pt_regs *regs) {
  struct thread *thread;
  begin(regs, DPCAP_PROBE_RX, &thread);
  return 0;
}

SEC("uretprobe")
int rx_return(struct pt_regs *regs) {
  struct thread *thread = this_thread();
  if (thread == NULL) return 0;
  const __u32 number = end(regs, thread);
  if (number >= MOST_CALLS) return 0;
  struct call *call = &thread->calls[number];
  const __u32 count = PT_REGS_RC(regs) & 0xffff;
  struct dpcap_probe_lane *counters = count_call(call, count);
  if (counters == NULL || count == 0) return 0;
  call->time_ns = bpf_ktime_get_ns();
  const __u32 copied = copy_all(thread, number, count, 1);
  pass_on(thread, number, call->taken);
  if (copied < count) add(&counters->unread, count - copied);
  return 0;
}

// What was sent is the driver's to free, so it is copied before, and counts after.
SEC("uprobe")
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
  struct thread *thread = this_thread();
  if (thread == NULL) return 0;
  const __u32 number = end(regs, thread);
  if (number >= MOST_CALLS) return 0;
  struct call *call = &thread->calls[number];
  const __u32 count = PT_REGS_RC(regs) & 0xffff;
  struct dpcap_probe_lane *counters = count_call(call, count);
  if (counters == NULL) return 0;
  const __u32 taken = call->taken < count ? call->taken : count;
  pass_on(thread, number, taken);
  if (taken < count) add(&counters->unread, count - taken);
  return 0;
}

// bpf_probe_read_user() is only for programs that are under a licence compatible with the GPL.
char LICENSE[] SEC("license") = "Dual BSD/GPL";
