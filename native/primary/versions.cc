#include "primary/versions.h"

#include <rte_config.h>
#include <rte_ring.h>
#include <rte_version.h>

#include "base/error.h"
#include "primary/release.h"

namespace dpcap {
namespace {

constexpr unsigned kSlots = 1024;

// What EAL says of a wrong --lcores: up to 25.07, and from 25.11 on (lib/eal/common/eal_common_options.c).
constexpr const char* kRefusals[] = {"invalid parameter for --lcores", "invalid lcore mapping list"};

}  // namespace

std::string dpdk_version() {
  char text[16];
  snprintf(text, sizeof text, "%u.%02u.%u", rte_version_year(), rte_version_month(), rte_version_minor());
  return text;
}

uint32_t dpdk_version_number() {
  return RTE_VERSION_NUM(rte_version_year(), rte_version_month(), rte_version_minor(), rte_version_release());
}

const Release& running_release() {
  static const Release release = release_of(dpdk_version_number());
  return release;
}

uint32_t dpdk_build_number() { return RTE_VERSION; }

size_t ring_bytes_of_libraries() { return static_cast<size_t>(rte_ring_get_memsize(kSlots)); }

void refuse_other_rings(size_t library_bytes) {
  const size_t ours = RTE_ALIGN(sizeof(rte_ring) + kSlots * sizeof(void*), RTE_CACHE_LINE_SIZE);
  if (library_bytes == ours) return;
  throw Error("ERR_VERSION_MISMATCH",
              "the libraries of DPDK were built for another CPU than this dpcap (RTE_CACHE_LINE_SIZE): a ring takes " +
                  std::to_string(library_bytes) + " bytes with them, and not " + std::to_string(ours) +
                  "; build dpcap against them (npm run build)");
}

void refuse_fewer_lcores(const std::string& eal_log) {
  for (const char* refusal : kRefusals) {
    if (eal_log.find(refusal) == std::string::npos) continue;
    throw Error("ERR_VERSION_MISMATCH",
                "the libraries of DPDK were built with other limits (RTE_MAX_LCORE): they have no lcore " +
                    std::to_string(RTE_MAX_LCORE - 1) + ", and dpcap's addon was built for " +
                    std::to_string(RTE_MAX_LCORE) + " lcores");
  }
}

}  // namespace dpcap
