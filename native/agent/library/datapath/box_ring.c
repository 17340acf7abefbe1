#include "agent/library/datapath/box_ring.h"

// Nobody who reads the box meanwhile may take new records for old ones: the generation goes first, and comes back last.
static void begin_segment(struct dpcap_box_segment *entry, uint32_t lane, uint64_t generation) {
  __atomic_store_n(&entry->generation, 0, __ATOMIC_RELAXED);
  __atomic_thread_fence(__ATOMIC_RELEASE);
  __atomic_store_n(&entry->used, 0, __ATOMIC_RELAXED);
  entry->lane = lane;
  entry->packets = 0;
  entry->first_ns = 0;
  entry->last_ns = 0;
  __atomic_store_n(&entry->generation, generation, __ATOMIC_RELEASE);
}

bool box_ring_take(struct box_ring *ring, struct dpcap_box_lane *lane, uint32_t number, uint32_t *segment) {
  for (uint32_t tries = 0; tries < ring->segments; tries++) {
    const uint64_t turn = __atomic_fetch_add(&ring->next, 1, __ATOMIC_RELAXED);
    const uint32_t index = (uint32_t)(turn % ring->segments);
    if (__atomic_exchange_n(&ring->taken[index], 1, __ATOMIC_ACQUIRE) != 0) continue;
    struct dpcap_box_segment *const entry = &ring->table[index];
    if (entry->last_ns > lane->overwritten_until_ns)
      __atomic_store_n(&lane->overwritten_until_ns, entry->last_ns, __ATOMIC_RELAXED);
    begin_segment(entry, number, turn + 1);
    *segment = index;
    return true;
  }
  return false;
}

void box_ring_publish(struct box_ring *ring, uint32_t segment, uint32_t used, uint32_t packets, uint64_t wall_ns) {
  struct dpcap_box_segment *const entry = &ring->table[segment];
  if (entry->packets == 0) entry->first_ns = wall_ns;
  entry->last_ns = wall_ns;
  entry->packets += packets;
  __atomic_store_n(&entry->used, used, __ATOMIC_RELEASE);
}

void box_ring_leave(struct box_ring *ring, uint32_t segment) {
  __atomic_store_n(&ring->taken[segment], 0, __ATOMIC_RELEASE);
}
