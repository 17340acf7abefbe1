#include "agent/library/mirror/pool.h"

#include <errno.h>

#include "agent/library/dpdk.h"

// Several threads take and give at once, whatever the application's own pools are made for.
#define HANDLER "ring_mp_mc"

int copy_pool_make(struct copy_pool *pool, const char *name, uint32_t copies, uint32_t frame_bytes) {
  const uint16_t room = (uint16_t)(RTE_PKTMBUF_HEADROOM + frame_bytes);
  pool->copies = copies;
  pool->mempool = dpdk.make_pool(name, copies, 0, 0, room, SOCKET_ID_ANY, HANDLER);
  return pool->mempool == NULL ? ENOMEM : 0;
}

static const struct rte_mempool_ops *ops_of(const struct copy_pool *pool) {
  return &dpdk.pool_ops->ops[pool->mempool->ops_index];
}

// Leaves out those of another pool, which a driver with MBUF_FAST_FREE has put here because they lay behind one of this
// pool. They may be smaller than its copies, and nobody but their own pool's users may know what they are; lost to the
// application they were before.
static uint16_t only_own(const struct copy_pool *pool, struct rte_mbuf **mbufs, uint16_t count) {
  uint16_t own = 0;
  for (uint16_t i = 0; i < count; i++) {
    if (mbufs[i]->pool == pool->mempool) mbufs[own++] = mbufs[i];
  }
  return own;
}

// The handler is a ring: so many steps see each mbuf once.
bool copy_pool_is_whole(const struct copy_pool *pool) {
  uint32_t left = dpdk.available(pool->mempool);
  if (left < pool->copies) return false;
  for (struct rte_mbuf *one; left > 0 && ops_of(pool)->dequeue(pool->mempool, (void **)&one, 1) == 0; left--)
    copy_pool_give(pool, &one, only_own(pool, &one, 1));
  return dpdk.available(pool->mempool) == pool->copies;
}

void copy_pool_free(struct copy_pool *pool) {
  dpdk.free_pool(pool->mempool);
  pool->mempool = NULL;
}

// All at once, which is one operation on the ring; where the pool has not so many, one by one until it is empty.
uint16_t copy_pool_take(const struct copy_pool *pool, struct rte_mbuf **copies, uint16_t count) {
  const rte_mempool_dequeue_t dequeue = ops_of(pool)->dequeue;
  uint16_t taken = 0;
  if (dequeue(pool->mempool, (void **)copies, count) == 0)
    taken = count;
  else
    while (taken < count && dequeue(pool->mempool, (void **)&copies[taken], 1) == 0) taken++;
  taken = only_own(pool, copies, taken);
  for (uint16_t i = 0; i < taken; i++) rte_pktmbuf_reset(copies[i]);
  return taken;
}

// They were sent to nobody: each is still one segment, with one reference.
void copy_pool_give(const struct copy_pool *pool, struct rte_mbuf **copies, uint16_t count) {
  if (count > 0) ops_of(pool)->enqueue(pool->mempool, (void *const *)copies, count);
}
