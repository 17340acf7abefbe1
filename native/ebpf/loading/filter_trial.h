// Tries the kernel's filters out on samples, without any application. Any thread.
#pragma once
#include <cstdint>
#include <vector>

#include "filter/filter.h"

namespace dpcap {

// Loads a filter, as src/filter/codegen/kernel.ts makes them, and runs it in the kernel. Returns for each frame what it
// says: DPCAP_PROBE_REFUSED, DPCAP_PROBE_SELECTED or DPCAP_PROBE_UNDECIDED. Throws ERR_PERMISSION,
// ERR_FILTER_UNSUPPORTED with the verifier's words, ERR_SYSTEM.
std::vector<uint8_t> run_in_kernel(const std::vector<uint8_t>& program, const std::vector<Sample>& frames);

}  // namespace dpcap
