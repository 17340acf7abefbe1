// Versions of the libraries: of DPDK as this addon was built against it, of libpcap as it is loaded. JavaScript thread.
#pragma once
#include <cstdint>
#include <string>

namespace dpcap {
std::string dpdk_version();      // "22.11.11"
uint32_t dpdk_version_number();  // RTE_VERSION: a secondary must equal its primary in all four bytes
std::string pcap_version();
}  // namespace dpcap
