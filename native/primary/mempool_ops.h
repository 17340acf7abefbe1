// The mempool handlers: what the primary's pools tell about its numbering, and our own table put into that order.
#pragma once
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
};

std::vector<PoolFacts> list_pools();

// Names of our own handlers, by index.
std::vector<std::string> own_ops_table();

// Permutes our own table so that names and indices agree with the primary's. `order` is its table by index; names we do
// not have are refused unless another order is possible without them. Throws ERR_MEMPOOL_OPS.
void align_ops_table(const std::vector<std::string>& order);

}  // namespace dpcap
