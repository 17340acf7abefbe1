// The release of DPDK whose libraries this process has loaded, which need not be that of the headers. Any thread.
#pragma once
#include <cstdint>
#include <string>

namespace dpcap {

std::string dpdk_version();      // "22.11.11"
uint32_t dpdk_version_number();  // RTE_VERSION: a secondary must equal its primary in all four bytes
// The release that the addon was built against: struct layouts are those of its headers.
uint32_t dpdk_build_number();

}  // namespace dpcap
