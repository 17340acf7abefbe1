#include "agent/library/datapath/filter.h"

#include <rte_bpf.h>
#include <stdlib.h>
#include <string.h>

#include "agent/library/dpdk.h"
#include "filter/ebpf_vm.h"

#define MOST_PACKETS 64u

struct filter {
  struct rte_bpf *bpf;  // NULL: the interpreter runs the program
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
  filter->count = count;
  memcpy(filter->program, instructions, bytes);
  filter->bpf = load(filter);
  return filter;
}

void filter_destroy(struct filter *filter) {
  if (filter == NULL) return;
  if (filter->bpf != NULL) dpdk.bpf_destroy(filter->bpf);
  free(filter);
}

bool filter_uses_bpf(const struct filter *filter) { return filter != NULL && filter->bpf != NULL; }

static uint64_t all_of(uint16_t count) { return count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1; }

uint64_t filter_run(const struct filter *filter, struct rte_mbuf **packets, uint16_t count) {
  if (filter == NULL) return all_of(count);
  uint64_t selected = 0;
  if (filter->bpf == NULL) {
    for (uint16_t i = 0; i < count; i++) {
      const bool matches =
          dpcap_ebpf_matches(filter->program, filter->count, packets[i], 0, packets[i]->pkt_len, false);
      selected |= (uint64_t)matches << i;
    }
    return selected;
  }
  uint64_t results[MOST_PACKETS];
  dpdk.bpf_exec_burst(filter->bpf, (void **)packets, results, count);
  for (uint16_t i = 0; i < count; i++) selected |= (uint64_t)(results[i] != 0) << i;
  return selected;
}
