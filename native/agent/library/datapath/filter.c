#include "agent/library/datapath/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "filter/ebpf_vm.h"
#include "filter/jit/jit.h"

struct filter {
  struct dpcap_jit jit;  // without a function: the interpreter runs the program
  uint32_t count;
  struct ebpf_insn program[];
};

struct filter *filter_make(const void *instructions, uint32_t count) {
  const size_t bytes = count * sizeof(struct ebpf_insn);
  struct filter *const filter = malloc(sizeof *filter + bytes);
  if (filter == NULL) return NULL;
  memset(filter, 0, sizeof *filter);
  filter->count = count;
  memcpy(filter->program, instructions, bytes);
  dpcap_jit_make(&filter->jit, filter->program, count);  // where it does not, the filter is interpreted
  return filter;
}

bool filters_are_compiled(void) {
  static const struct ebpf_insn smallest[] = {{.code = BPF_ALU | EBPF_MOV | BPF_K}, {.code = BPF_JMP | EBPF_EXIT}};
  struct dpcap_jit jit;
  if (dpcap_jit_make(&jit, smallest, sizeof smallest / sizeof smallest[0]) != 0) return false;
  dpcap_jit_free(&jit);
  return true;
}

void filter_destroy(struct filter *filter) {
  if (filter == NULL) return;
  if (filter->jit.matches != NULL) dpcap_jit_free(&filter->jit);
  free(filter);
}

void filters_destroy(struct filters *filters) {
  filter_destroy(filters->rx);
  filter_destroy(filters->tx);
  *filters = (struct filters){NULL, NULL};
}

int filters_make(struct filters *filters, const uint8_t *programs, uint32_t rx, uint32_t tx) {
  if (rx > 0) filters->rx = filter_make(programs, rx);
  if (tx > 0) filters->tx = filter_make(programs + (size_t)rx * FILTER_INSTRUCTION_BYTES, tx);
  if ((rx == 0 || filters->rx != NULL) && (tx == 0 || filters->tx != NULL)) return 0;
  filters_destroy(filters);
  return ENOMEM;
}

static uint64_t all_of(uint16_t count) { return count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1; }

static bool interpret(const struct filter *filter, const struct rte_mbuf *packet) {
  return dpcap_ebpf_matches(filter->program, filter->count, packet, 0, packet->pkt_len, false);
}

uint64_t filter_run(const struct filter *filter, struct rte_mbuf **packets, uint16_t count) {
  if (filter == NULL) return all_of(count);
  bool (*const compiled)(const struct rte_mbuf *) = filter->jit.matches;
  uint64_t selected = 0;
  for (uint16_t i = 0; i < count; i++)
    selected |= (uint64_t)(compiled != NULL ? compiled(packets[i]) : interpret(filter, packets[i])) << i;
  return selected;
}
