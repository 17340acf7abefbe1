#include "agent/library/clock.h"

#include <rte_cycles.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#define SHIFT 32
// A clock that is further behind is not steered but set, forward: the thread did not run for long.
#define FAR_NS 1000000
// A relation holds at least so long: in less time its rate cannot be measured.
#define LEAST_NS 50000000
// The time in which a difference is made up for, and the most that the clock runs faster or slower meanwhile.
#define STEER_NS 100000000.0
#define MOST_STEER 0.1
// One that is far ahead (the TSC went on while the machine was halted) all but stands still until the time has come.
#define FAR_STEER (-0.9)

struct relation {
  uint64_t tsc;
  uint64_t steady_ns;
  uint64_t wall_offset_ns;  // to be added, modulo 2^64
  uint64_t multiplier;      // nanoseconds a cycle, times 2^SHIFT
};

// A reader that is interrupted while it copies a relation finds it whole unless three renewals have passed.
#define SLOTS 4
static struct relation relations[SLOTS];
static _Atomic uint64_t renewals;
// The relation is as old as nobody knows: what was left of its steering has added up, and its rate was that of a
// moment.
static bool begins = true;

static uint64_t now(clockid_t id) {
  struct timespec time;
  clock_gettime(id, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t steady_at(const struct relation *relation, uint64_t tsc) {
  const uint64_t cycles = tsc - relation->tsc;
  if ((int64_t)cycles < 0) return relation->steady_ns;  // the TSC of another CPU is a few cycles behind
  return relation->steady_ns + (uint64_t)(((unsigned __int128)cycles * relation->multiplier) >> SHIFT);
}

// The clocks and the TSC at one moment: of a few tries the one that took least counts.
struct moment {
  uint64_t tsc;
  uint64_t steady_ns;
  uint64_t wall_ns;
};

static struct moment look(void) {
  struct moment best = {0};
  uint64_t shortest = UINT64_MAX;
  for (int i = 0; i < 5; i++) {
    const uint64_t before = rte_rdtsc();
    const uint64_t steady = now(CLOCK_MONOTONIC);
    const uint64_t wall = now(CLOCK_REALTIME);
    const uint64_t after = rte_rdtsc();
    if (after - before >= shortest) continue;
    shortest = after - before;
    best = (struct moment){before + shortest / 2, steady, wall};
  }
  return best;
}

static double steer(int64_t behind_ns) {
  if (behind_ns < -FAR_NS) return FAR_STEER;
  const double wanted = (double)behind_ns / STEER_NS;
  return wanted > MOST_STEER ? MOST_STEER : wanted < -MOST_STEER ? -MOST_STEER : wanted;
}

// The new relation begins where the old one has got to, and runs a little faster or slower until both agree.
void clock_renew(uint64_t tsc_hz) {
  static struct moment last;
  const struct moment at = look();
  const uint64_t count = atomic_load_explicit(&renewals, memory_order_relaxed);
  if (!begins && at.steady_ns - last.steady_ns < LEAST_NS) return;
  double ns_per_cycle = 1e9 / (double)tsc_hz;
  struct relation next = {at.tsc, at.steady_ns, at.wall_ns - at.steady_ns, 0};
  if (!begins) {
    const uint64_t reached = steady_at(&relations[(count - 1) % SLOTS], at.tsc);
    const int64_t behind_ns = (int64_t)(at.steady_ns - reached);
    // Of the time since the last look, because the TSC also counts while the machine is suspended.
    ns_per_cycle = (double)(at.steady_ns - last.steady_ns) / (double)(at.tsc - last.tsc);
    if (behind_ns < FAR_NS) {
      next.steady_ns = reached;
      ns_per_cycle *= 1 + steer(behind_ns);
    }
  }
  next.multiplier = (uint64_t)(ns_per_cycle * (double)(1ull << SHIFT));
  last = at;
  begins = false;
  relations[count % SLOTS] = next;
  atomic_store_explicit(&renewals, count + 1, memory_order_release);
}

void clock_rest(void) { begins = true; }

struct clock_time clock_at(uint64_t tsc) {
  struct relation relation;
  uint64_t count;
  do {
    count = atomic_load_explicit(&renewals, memory_order_acquire);
    relation = relations[(count - 1) % SLOTS];
    atomic_thread_fence(memory_order_acquire);
  } while (atomic_load_explicit(&renewals, memory_order_relaxed) - count >= SLOTS - 1);
  const uint64_t steady_ns = steady_at(&relation, tsc);
  return (struct clock_time){steady_ns, steady_ns + relation.wall_offset_ns};
}
