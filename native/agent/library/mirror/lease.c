#include "agent/library/mirror/lease.h"

#include <time.h>

#define NS_PER_SECOND UINT64_C(1000000000)

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

void lease_renew(struct lease *lease, uint32_t seconds) { lease->ends_ns = now_ns() + seconds * NS_PER_SECOND; }

bool lease_is_over(const struct lease *lease) { return now_ns() >= lease->ends_ns; }

uint32_t lease_left(const struct lease *lease) {
  const uint64_t now = now_ns();
  return now >= lease->ends_ns ? 0 : (uint32_t)((lease->ends_ns - now + NS_PER_SECOND - 1) / NS_PER_SECOND);
}
