// The time of a burst, from the TSC. The agent's thread renews the relation of the two ten times a second; the threads
// of the application read it, without a lock.
#pragma once
#include <stdint.h>

struct clock_time {
  uint64_t steady_ns;  // CLOCK_MONOTONIC, in one piece: it is never set, and never goes backwards
  uint64_t wall_ns;    // CLOCK_REALTIME
};

// Begins with this frequency; called again, it goes on with a better one, unless too little time has passed. Agent's
// thread.
void clock_renew(uint64_t tsc_hz);
// Nobody reads it from here on until it is renewed, which may be in a month: it then begins anew. Agent's thread.
void clock_rest(void);
// Any thread.
struct clock_time clock_at(uint64_t tsc);
