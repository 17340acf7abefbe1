// A session's filter for one direction. The agent's thread makes and destroys it; threads of the application run it.
#pragma once
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

struct filter;

// Who runs the filters of this process.
enum filters_run { FILTERS_COMPILED, FILTERS_IN_BPF, FILTERS_INTERPRETED };
enum filters_run filters_run_as(void);

// Makes a filter of a program of `count` 8-byte instructions as src/filter makes them. It is compiled; where that
// cannot be, librte_bpf runs it if the application has it and accepts the program, else the agent's own interpreter.
// Returns NULL when there is no memory.
struct filter *filter_make(const void *instructions, uint32_t count);
void filter_destroy(struct filter *filter);
// Writes whether each of `count` packets is selected, at most 64, one bit for each. NULL selects all.
uint64_t filter_run(const struct filter *filter, struct rte_mbuf **packets, uint16_t count);
