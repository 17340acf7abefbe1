#include "host/layouts.h"

#include <rte_config.h>
#include <rte_mempool.h>
#include <rte_memzone.h>
#include <rte_pdump.h>

namespace dpcap {

// The word `struct` is needed, because a variable of DPDK has the name of the type.
OpsLayout ops_layout() {
  return {sizeof(struct rte_mempool_ops_table),
          offsetof(struct rte_mempool_ops_table, num_ops),
          offsetof(struct rte_mempool_ops_table, ops),
          sizeof(rte_mempool_ops),
          RTE_MEMPOOL_OPS_NAMESIZE,
          RTE_MEMPOOL_MAX_OPS_IDX};
}

MemzoneLayout memzone_layout() { return {sizeof(rte_memzone), RTE_MEMZONE_NAMESIZE, offsetof(rte_memzone, len)}; }

PdumpLimits pdump_limits() { return {RTE_MAX_ETHPORTS, RTE_MAX_QUEUES_PER_PORT, sizeof(struct rte_pdump_stats)}; }

}  // namespace dpcap
