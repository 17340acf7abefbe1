// Joining and leaving a primary as a DPDK secondary process, without touching a single device.
//
// Once per process: EAL cannot be initialised again after it was cleaned up, so one attach is one process.
#pragma once
#include <string>
#include <vector>

namespace dpcap {

struct AttachOptions {
  std::string file_prefix;  // names the primary, e.g. "rte"
};

// Starts EAL as a secondary of the primary with this file prefix. Blocks for some 30 ms.
// Throws ERR_EAL_INIT with EAL's own words as the trail; a fresh process may then try again.
void attach(const AttachOptions& options);

// Leaves the primary: everything of ours must have been freed before.
void detach();

// What EAL and the libraries logged since the last call (at most the newest 64 KiB).
std::string take_eal_log();

}  // namespace dpcap
