// Joins a primary as a DPDK secondary, and leaves it, without touching a single device. attach() and detach() block.
//
// Only once per process: EAL cannot be initialised again after its cleanup, so each attach needs a process of its own.
#pragma once
#include <string>
#include <vector>

namespace dpcap {

struct AttachOptions {
  std::string file_prefix;  // names the primary, e.g. "rte"
  bool is_lean;             // without the installed drivers: see hide_plugins()
};

// Starts EAL as a secondary of the primary with this file prefix. Blocks for some 30 ms.
// Throws ERR_VERSION_MISMATCH as refuse_other_rings(), and ERR_EAL_INIT with EAL's own log as the message; a new
// process may then try again.
void attach(const AttachOptions& options);

// Leaves the primary. Everything that dpcap has in it must have been freed before.
void detach();

// Returns what EAL and the libraries have logged since the last call (at most the newest 64 KiB). Any thread.
std::string take_eal_log();

}  // namespace dpcap
