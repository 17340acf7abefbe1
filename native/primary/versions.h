// The release of DPDK whose libraries this process has loaded, which need not be that of the headers. Any thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace dpcap {

std::string dpdk_version();      // "22.11.11"
uint32_t dpdk_version_number();  // RTE_VERSION: a secondary must equal its primary in all four bytes
// The release that the addon was built against: struct layouts are those of its headers.
uint32_t dpdk_build_number();

// Throws ERR_VERSION_MISMATCH when the libraries lay rings out otherwise than those headers, by the bytes that a ring
// takes. On arm64 builds of one release differ: RTE_CACHE_LINE_SIZE is 64 or 128, by the CPU that DPDK was built for
// (config/arm/meson.build, all releases).
void refuse_other_rings(size_t library_bytes);
size_t ring_bytes_of_libraries();

// Throws ERR_VERSION_MISMATCH when EAL did not start because it has fewer lcores than those headers, by what it logged:
// dpcap asks for the last one. Nothing else is wrong with that argument, so no other attempt can do better.
void refuse_fewer_lcores(const std::string& eal_log);

}  // namespace dpcap
