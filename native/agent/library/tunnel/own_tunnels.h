// The tunnels that this process sends packets through. No mirror carries packets of any of them: two tunnels whose
// packets come by each other's sources would fill themselves up, as one that carries its own would.
#pragma once
#include <rte_mbuf.h>
#include <stdbool.h>

#include "tunnel/outer.h"

struct own_tunnel {
  struct dpcap_tunnel tunnel;
  struct dpcap_outer outer;
};

// From now on its packets are known. Returns false when there is such a one already: a collector could not tell them
// apart. Agent's thread.
bool own_tunnels_add(const struct own_tunnel *own);
// Threads may still look at it, until they have left the callbacks that they are in: see lanes_mark(). Agent's thread.
void own_tunnels_remove(const struct own_tunnel *own);
// Forgets all, in a child of the process.
void own_tunnels_forget(void);
// Whether a packet is one of any of them, as far as its first segment shows. A thread of the application, in a
// callback.
bool own_tunnels_have(const struct rte_mbuf *packet);
