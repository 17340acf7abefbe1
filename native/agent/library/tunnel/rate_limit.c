#include "agent/library/tunnel/rate_limit.h"

#include <stdbool.h>

// The interval is rounded up: what goes is never more than was asked for, and at 10 million a second less than half a
// per cent below it.
void rate_limit_begin(struct rate_limit *limit, uint32_t per_second, uint64_t tsc_hz, uint64_t now) {
  limit->interval = per_second == 0 ? 0 : (tsc_hz + per_second - 1) / per_second;
  limit->capacity = tsc_hz / 10 > limit->interval ? tsc_hz / 10 : limit->interval;
  const uint64_t full = now > limit->capacity ? now - limit->capacity : 0;
  __atomic_store_n(&limit->spent, full, __ATOMIC_RELAXED);
}

uint16_t rate_limit_take(struct rate_limit *limit, uint64_t now, uint16_t wanted) {
  if (limit->interval == 0) return wanted;
  const uint64_t oldest = now > limit->capacity ? now - limit->capacity : 0;
  uint64_t spent = __atomic_load_n(&limit->spent, __ATOMIC_RELAXED);
  for (;;) {
    const uint64_t begin = spent > oldest ? spent : oldest;
    const uint64_t there = now > begin ? (now - begin) / limit->interval : 0;
    const uint16_t taken = there < wanted ? (uint16_t)there : wanted;
    if (taken == 0) return 0;
    const uint64_t next = begin + taken * limit->interval;
    if (__atomic_compare_exchange_n(&limit->spent, &spent, next, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
      return taken;
  }
}
