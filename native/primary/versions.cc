#include "primary/versions.h"

#include <rte_version.h>

namespace dpcap {

std::string dpdk_version() {
  char text[16];
  snprintf(text, sizeof text, "%u.%02u.%u", rte_version_year(), rte_version_month(), rte_version_minor());
  return text;
}

uint32_t dpdk_version_number() {
  return RTE_VERSION_NUM(rte_version_year(), rte_version_month(), rte_version_minor(), rte_version_release());
}

uint32_t dpdk_build_number() { return RTE_VERSION; }

}  // namespace dpcap
