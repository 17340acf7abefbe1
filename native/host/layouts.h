// How this build of DPDK lays out the structs that are read in a primary's memory from outside. Any thread.
#pragma once
#include <cstddef>

namespace dpcap {

// Layout of struct rte_mempool_ops_table; sizes and offsets in bytes.
struct OpsLayout {
  size_t table_size, num_ops_offset, entries_offset, entry_size, name_size, max_ops;
};
OpsLayout ops_layout();

// Layout of struct rte_memzone, in bytes. The file `fbarray_memzone` of a primary is an array of them. Their number is
// not here: from DPDK 23.07 on RTE_MAX_MEMZONE is gone, each primary may choose the number, and its file tells it.
struct MemzoneLayout {
  size_t entry_size, name_size, length_offset;
};
MemzoneLayout memzone_layout();

// What pdump's memzone is made for: `counter_bytes` for each queue and direction.
struct PdumpLimits {
  size_t ports, queues, counter_bytes;
};
PdumpLimits pdump_limits();

}  // namespace dpcap
