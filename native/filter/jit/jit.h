// Compiles a filter program to machine code, for the agent, which runs in threads that poll. DPDK's own compiler is not
// used: that of 22.11 now and then ends after two passes of equal length, with code that jumps anywhere, and up
// to 25.11 the functions that its code for x86 calls find an unaligned stack (lib/bpf/bpf_jit_x86.c). For x86-64;
// elsewhere filters are interpreted. C and C++ include this file.
#pragma once
#include <rte_bpf.h>
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dpcap_jit {
  bool (*matches)(const struct rte_mbuf *mbuf);
  size_t bytes;  // of the mapping that the function is in
};

// Compiles a program of `count` instructions, as src/filter makes them, to a function that selects the packets that
// dpcap_ebpf_matches() selects. Nothing in the program or the mbuf can make it read anywhere else. Returns an errno,
// and then there is nothing to free: ENOTSUP for another processor, and for a program with anything that filters do not
// have; ENOMEM; EPERM or EACCES where a process may not have memory that it has written executed.
int dpcap_jit_make(struct dpcap_jit *jit, const struct ebpf_insn *program, uint32_t count);
// No thread is in it any more.
void dpcap_jit_free(struct dpcap_jit *jit);

#ifdef __cplusplus
}
#endif
