// The mbufs of copies: a mempool of the agent's own in the application, so that none of the application's is ever
// taken. It has no caches of lcores: their number is in the thread's own memory, which a library that is linked to
// nothing does not see, and what lies in a cache would not be back when a mirror ends.
#pragma once
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

struct copy_pool {
  struct rte_mempool *mempool;
  uint32_t copies;
};

// Makes a pool of so many mbufs, each with room for a frame of `frame_bytes` behind the usual headroom. Agent's thread.
// Returns 0 or an errno.
int copy_pool_make(struct copy_pool *pool, const char *name, uint32_t copies, uint32_t frame_bytes);
// Whether no copy is under way: only then it may be freed. Nobody takes any meanwhile. Agent's thread.
bool copy_pool_is_whole(const struct copy_pool *pool);
void copy_pool_free(struct copy_pool *pool);

// Takes mbufs, empty ones; returns how many of `count` there were. A thread of the application, in a callback.
uint16_t copy_pool_take(const struct copy_pool *pool, struct rte_mbuf **copies, uint16_t count);
// Gives back what was taken and not sent. A thread of the application, in a callback.
void copy_pool_give(const struct copy_pool *pool, struct rte_mbuf **copies, uint16_t count);
