// Looking at a primary without joining it: its lock, its telemetry socket, and the layouts needed to read its memory.
// Everything here runs on the caller's thread and is bounded in time.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace dpcap {

struct LockHolder {
  bool locked;  // somebody holds a write lock: the primary is alive
  int pid;      // 0 when it is in a PID namespace that cannot be seen from here
};

// F_GETLK over the whole file. The primary locks a part of its `config` file for as long as it lives.
LockHolder lock_holder(const std::string& path);

// One connection to a telemetry socket (SOCK_SEQPACKET), `commands` one after the other. A connection costs the
// primary a thread, hence several commands for one. timeout_ms bounds the whole exchange.
std::vector<std::string> telemetry(const std::string& path, const std::vector<std::string>& commands, int timeout_ms);

// struct rte_mempool_ops_table as this build lays it out; in bytes.
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
