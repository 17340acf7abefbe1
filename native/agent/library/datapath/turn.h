// A lock that a thread of the application waits for for a moment alone, in a callback: about 10 us, in which another
// one sends a burst. Any thread.
#pragma once
#include <rte_pause.h>
#include <stdatomic.h>
#include <stdbool.h>

#define TURN_TRIES 200

struct turn {
  atomic_bool is_taken;
};

// Returns whether it is this thread's turn, which it has to end.
static inline bool turn_begin(struct turn *turn) {
  for (int i = 0; i < TURN_TRIES; i++) {
    if (!atomic_load_explicit(&turn->is_taken, memory_order_relaxed) &&
        !atomic_exchange_explicit(&turn->is_taken, true, memory_order_acquire))
      return true;
    rte_pause();
  }
  return false;
}

static inline void turn_end(struct turn *turn) { atomic_store_explicit(&turn->is_taken, false, memory_order_release); }
