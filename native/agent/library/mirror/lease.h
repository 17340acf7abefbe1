// For how long a mirror stays. Agent's thread.
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct lease {
  uint64_t ends_ns;  // CLOCK_MONOTONIC
};

// It goes on for so many seconds from now.
void lease_renew(struct lease *lease, uint32_t seconds);
bool lease_is_over(const struct lease *lease);
// Seconds, those that have begun included.
uint32_t lease_left(const struct lease *lease);
