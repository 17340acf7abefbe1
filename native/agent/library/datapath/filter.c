#include "agent/library/datapath/filter.h"

#include <rte_bpf.h>
#include <stdlib.h>
#include <string.h>

#include "agent/library/dpdk.h"
#include "filter/ebpf_vm.h"
#include "filter/jit/jit.h"

#define MOST_PACKETS 64u

struct filter {
  struct dpcap_jit jit;  // without a function: something else runs the program
  struct rte_bpf *bpf;   // NULL: the agent's interpreter does
  uint32_t count;
  struct ebpf_insn program[];
};

static struct rte_bpf *load(struct filter *filter) {
  if (dpdk.bpf_load == NULL) return NULL;
  struct rte_bpf_prm prm;
  memset(&prm, 0, sizeof prm);
  prm.ins = filter->program;
  prm.nb_ins = filter->count;
  prm.prog_arg.type = RTE_BPF_ARG_PTR_MBUF;
  prm.prog_arg.size = sizeof(struct rte_mbuf);
  prm.prog_arg.buf_size = RTE_MBUF_DEFAULT_BUF_SIZE;
  return dpdk.bpf_load(&prm);
}

struct filter *filter_make(const void *instructions, uint32_t count) {
  const size_t bytes = count * sizeof(struct ebpf_insn);
  struct filter *const filter = malloc(sizeof *filter + bytes);
  if (filter == NULL) return NULL;
  memset(filter, 0, sizeof *filter);
  filter->count = count;
  memcpy(filter->program, instructions, bytes);
  if (dpcap_jit_make(&filter->jit, filter->program, count) != 0) filter->bpf = load(filter);
  return filter;
}

enum filters_run filters_run_as(void) {
  static const struct ebpf_insn smallest[] = {{.code = BPF_ALU | EBPF_MOV | BPF_K}, {.code = BPF_JMP | EBPF_EXIT}};
  struct dpcap_jit jit;
  if (dpcap_jit_make(&jit, smallest, sizeof smallest / sizeof smallest[0]) == 0) {
    dpcap_jit_free(&jit);
    return FILTERS_COMPILED;
  }
  return dpdk.bpf_load != NULL ? FILTERS_IN_BPF : FILTERS_INTERPRETED;
}

void filter_destroy(struct filter *filter) {
  if (filter == NULL) return;
  if (filter->jit.matches != NULL) dpcap_jit_free(&filter->jit);
  if (filter->bpf != NULL) dpdk.bpf_destroy(filter->bpf);
  free(filter);
}

static uint64_t all_of(uint16_t count) { return count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1; }

static uint64_t run_in_bpf(const struct rte_bpf *bpf, struct rte_mbuf **packets, uint16_t count) {
  uint64_t results[MOST_PACKETS], selected = 0;
  dpdk.bpf_exec_burst(bpf, (void **)packets, results, count);
  for (uint16_t i = 0; i < count; i++) selected |= (uint64_t)(results[i] != 0) << i;
  return selected;
}

static bool interpret(const struct filter *filter, const struct rte_mbuf *packet) {
  return dpcap_ebpf_matches(filter->program, filter->count, packet, 0, packet->pkt_len, false);
}

uint64_t filter_run(const struct filter *filter, struct rte_mbuf **packets, uint16_t count) {
  if (filter == NULL) return all_of(count);
  if (filter->bpf != NULL) return run_in_bpf(filter->bpf, packets, count);
  bool (*const compiled)(const struct rte_mbuf *) = filter->jit.matches;
  uint64_t selected = 0;
  for (uint16_t i = 0; i < count; i++)
    selected |= (uint64_t)(compiled != NULL ? compiled(packets[i]) : interpret(filter, packets[i])) << i;
  return selected;
}
