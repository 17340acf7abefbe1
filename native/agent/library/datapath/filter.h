// A session's filter for one direction. The agent's thread makes and destroys it; threads of the application run it.
#pragma once
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

struct filter;

// Whether filters are compiled to machine code in this process; otherwise the agent interprets them.
bool filters_are_compiled(void);

// Makes a filter of a program of `count` 8-byte instructions as src/filter makes them. DPDK's librte_bpf has no part in
// it: up to 24.03 the time of its verifier doubles with each branch, and it would run in the application. Returns NULL
// when there is no memory.
struct filter *filter_make(const void *instructions, uint32_t count);
void filter_destroy(struct filter *filter);

// Those of what is received and of what is sent. NULL selects all.
struct filters {
  struct filter *rx;
  struct filter *tx;
};
#define FILTER_INSTRUCTION_BYTES 8u
// Makes them of programs that lie one behind the other, of so many instructions; of none: NULL. Returns 0 or ENOMEM,
// and then has made none.
int filters_make(struct filters *filters, const uint8_t *programs, uint32_t rx, uint32_t tx);
void filters_destroy(struct filters *filters);

// Writes whether each of `count` packets is selected, at most 64, one bit for each. NULL selects all.
uint64_t filter_run(const struct filter *filter, struct rte_mbuf **packets, uint16_t count);
