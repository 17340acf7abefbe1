// Whether a port has been running all the time. A driver takes the flow rules of its port away when that is stopped,
// and what names a rule points into freed memory from then on. Agent's thread.
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct port_run {
  uint16_t port;
  uintptr_t mark;
};

// Notes that the port is running now. Returns 0; ENETDOWN when it is not started, or EOPNOTSUPP when that cannot be
// noted.
int port_run_begin(struct port_run *run, uint16_t port);
// Whether it was neither stopped nor closed since, not for a moment.
bool port_run_goes_on(const struct port_run *run);
