#include "primary/mempool_ops.h"

#include <rte_eal_memconfig.h>
#include <rte_mempool.h>
#include <rte_memzone.h>
#include <rte_ring.h>
#include <rte_tailq.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "base/error.h"
#include "primary/mapping.h"

namespace dpcap {
namespace {

// Returns the addresses of all rings in the primary's ring list. A pool_data may be anything, so it is looked up here
// before it is read.
std::set<const void*> ring_addresses() {
  std::set<const void*> rings;
  rte_tailq_head* head = rte_eal_tailq_lookup(RTE_TAILQ_RING_NAME);
  if (head == nullptr) return rings;
  rte_mcfg_tailq_read_lock();
  const rte_tailq_entry* entry;
  TAILQ_FOREACH(entry, &head->tailq_head, next) rings.insert(entry->data);
  rte_mcfg_tailq_read_unlock();
  return rings;
}

struct Walk {
  std::set<const void*> rings;
  std::vector<PoolFacts> pools;
};

// Runs under EAL's lock of the mempool list, so it reads nothing that is not known to be mapped. A mempool may lie in
// memory that the application has made itself (testpmd --mp-alloc=xmem), and a process that crashes here leaves the
// lock held.
void add_facts(rte_mempool* pool, void* opaque) {
  Walk* walk = static_cast<Walk*>(opaque);
  if (!is_mapped_here(pool)) return;
  PoolFacts facts;
  facts.name.assign(pool->name, strnlen(pool->name, sizeof pool->name));
  facts.ops_index = pool->ops_index;
  facts.flags = pool->flags;
  facts.is_ring = walk->rings.count(pool->pool_data) != 0 && is_mapped_here(pool->pool_data);
  if (facts.is_ring) {
    const rte_ring* ring = static_cast<const rte_ring*>(pool->pool_data);
    facts.is_ring = ("MP_" + facts.name) == ring->name;
    facts.prod_sync = ring->prod.sync_type;
    facts.cons_sync = ring->cons.sync_type;
  }
  facts.has_caches = pool->cache_size != 0;
  facts.rest_bytes = sizeof *pool + pool->private_data_size;
  walk->pools.push_back(facts);
}

}  // namespace

std::vector<PoolFacts> list_pools() {
  Walk walk{ring_addresses(), {}};
  rte_mempool_walk(add_facts, &walk);
  return walk.pools;
}

void refuse_other_caches(const std::vector<PoolFacts>& pools) {
  constexpr size_t kCache = sizeof(rte_mempool_cache);
  for (const PoolFacts& pool : pools) {
    // It holds header, caches and private data (rte_mempool_create_empty(), lib/mempool/rte_mempool.c).
    const rte_memzone* zone =
        pool.has_caches ? rte_memzone_lookup((RTE_MEMPOOL_MZ_PREFIX + pool.name).c_str()) : nullptr;
    if (zone == nullptr || zone->len == pool.rest_bytes + kCache * RTE_MAX_LCORE) continue;
    const size_t caches = zone->len - std::min(zone->len, pool.rest_bytes);
    const auto words = [](size_t bytes) {
      return bytes % kCache == 0 ? std::to_string(bytes / kCache) + " lcores" : std::to_string(bytes) + " bytes";
    };
    throw Error("ERR_VERSION_MISMATCH",
                "the primary's DPDK was built with other limits (RTE_MAX_LCORE): its mempool " + pool.name +
                    " has caches for " + words(caches) + ", and those of dpcap are for " +
                    words(kCache * RTE_MAX_LCORE),
                0, pool.name);
  }
}

std::vector<std::string> own_ops_table() {
  std::vector<std::string> names;
  for (uint32_t i = 0; i < rte_mempool_ops_table.num_ops; i++) names.emplace_back(rte_mempool_ops_table.ops[i].name);
  return names;
}

void align_ops_table(const std::vector<std::string>& order) {
  if (order.size() > RTE_MEMPOOL_MAX_OPS_IDX) throw Error("ERR_MEMPOOL_OPS", "the primary's handler table is too long");
  auto* table = &rte_mempool_ops_table;  // the variable has the name of its type
  rte_mempool_ops unknown;
  memset(&unknown, 0, sizeof unknown);

  std::vector<rte_mempool_ops> ours(table->ops, table->ops + table->num_ops);
  std::vector<rte_mempool_ops> aligned;
  for (const std::string& name : order) {
    const auto found = std::find_if(ours.begin(), ours.end(), [&](const auto& ops) { return name == ops.name; });
    // A handler that only the primary has keeps its index under its name, without functions: dpcap never uses it.
    aligned.push_back(found == ours.end() ? unknown : *found);
    strncpy(aligned.back().name, name.c_str(), sizeof aligned.back().name - 1);
    if (found != ours.end()) ours.erase(found);
  }
  for (const auto& rest : ours) {
    if (aligned.size() < RTE_MEMPOOL_MAX_OPS_IDX) aligned.push_back(rest);
  }
  std::copy(aligned.begin(), aligned.end(), table->ops);
  table->num_ops = static_cast<uint32_t>(aligned.size());
}

}  // namespace dpcap
