#include "host/versions.h"

#include <pcap/pcap.h>
#include <rte_version.h>

namespace dpcap {

std::string dpdk_version() {
  return std::to_string(RTE_VER_YEAR) + "." + (RTE_VER_MONTH < 10 ? "0" : "") + std::to_string(RTE_VER_MONTH) + "." +
         std::to_string(RTE_VER_MINOR);
}

uint32_t dpdk_version_number() { return RTE_VERSION; }

std::string pcap_version() { return pcap_lib_version(); }

}  // namespace dpcap
