// How this build lays out what is read in a primary's memory from outside.
#pragma once
#include <cstddef>

namespace dpcap {

// struct rte_mempool_ops_table; in bytes.
struct OpsLayout {
  size_t table_size, num_ops_offset, entries_offset, entry_size, name_size, max_ops;
};
OpsLayout ops_layout();

// struct rte_memzone, whose array is the file `fbarray_memzone` of a primary; in bytes. How many there are is not here:
// RTE_MAX_MEMZONE is gone from DPDK 23.07 on, where each primary may choose, and its file tells.
struct MemzoneLayout {
  size_t entry_size, name_size;
};
MemzoneLayout memzone_layout();

}  // namespace dpcap
