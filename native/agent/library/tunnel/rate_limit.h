// A token bucket that holds a tenth of a second, for the threads of an application that send into one tunnel. It counts
// by the TSC, and never waits.
#pragma once
#include <stdint.h>

struct rate_limit {
  uint64_t interval;  // cycles a packet; 0: no limit
  uint64_t capacity;  // cycles that are kept for a burst
  uint64_t spent;     // up to here the cycles are spent: several threads write it
};

// `per_second`: 0 for no limit. Agent's thread, before others take.
void rate_limit_begin(struct rate_limit *limit, uint32_t per_second, uint64_t tsc_hz, uint64_t now);
// Returns how many of `wanted` packets may go now. Any thread.
uint16_t rate_limit_take(struct rate_limit *limit, uint64_t now, uint16_t wanted);
