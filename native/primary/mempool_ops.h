// Mempool handlers: reads what the primary's mempools tell about its numbering, and puts this process's into that
// order.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace dpcap {

// One mempool in shared memory, as evidence for the numbering of handlers in the primary (dpdk-pdump.md 6.3).
struct PoolFacts {
  std::string name;
  int32_t ops_index;
  uint32_t flags;      // RTE_MEMPOOL_F_*
  bool is_ring;        // pool_data is a ring of the ring list named MP_<pool>
  int prod_sync = -1;  // enum rte_ring_sync_type, when is_ring
  int cons_sync = -1;
  bool has_caches = false;
  size_t rest_bytes = 0;  // of its memzone, beside what the caches take
};

std::vector<PoolFacts> list_pools();

// Throws ERR_VERSION_MISMATCH when a mempool has another number of caches than those of dpcap, or caches of another
// size: an lcore whose id is too high here would write behind the end of a mempool that dpcap made.
void refuse_other_caches(const std::vector<PoolFacts>& pools);

// Returns the names of this process's handlers, by index.
std::vector<std::string> own_ops_table();

// Permutes this process's table so that names and indices agree with the primary's. `order` is the primary's table by
// index. A name that this process does not have keeps its index, without functions. Throws ERR_MEMPOOL_OPS when `order`
// is too long.
void align_ops_table(const std::vector<std::string>& order);

}  // namespace dpcap
