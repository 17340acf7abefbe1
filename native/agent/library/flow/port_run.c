#include "agent/library/flow/port_run.h"

#include <errno.h>

#include "agent/library/dpdk.h"
#include "agent/library/port/port_facts.h"

#define OURS (UINT64_C(0x64706361) << 32)  // "dpca"
#define OURS_MASK (UINT64_C(0xffffffff) << 32)

static uint32_t marks_made;

// ethdev has no event for a port that is stopped. But it gives the port's functions back their first values before it
// asks the driver (eth_dev_fp_ops_reset() in rte_eth_dev_stop() and rte_eth_dev_release_port(), 22.11 to 25.11), and
// with them the reserved words, which nobody reads or writes: a mark there lasts exactly as long as the port runs.
static uintptr_t *place_of(uint16_t port) { return &dpdk.fast_path[port].reserved2[0]; }

int port_run_begin(struct port_run *run, uint16_t port) {
  if (!port_is_started(port)) return ENETDOWN;
  uintptr_t mark = __atomic_load_n(place_of(port), __ATOMIC_RELAXED);
  if (mark != 0 && (mark & OURS_MASK) != OURS) return EOPNOTSUPP;
  if (mark == 0) {
    mark = OURS | ++marks_made;
    __atomic_store_n(place_of(port), mark, __ATOMIC_SEQ_CST);
  }
  *run = (struct port_run){port, mark};
  return 0;
}

bool port_run_goes_on(const struct port_run *run) {
  return __atomic_load_n(place_of(run->port), __ATOMIC_SEQ_CST) == run->mark;
}
