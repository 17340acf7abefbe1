#include "core/ports.h"

#include <rte_config.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_memzone.h>

#include <cstring>

#include "core/error.h"

namespace dpcap {
namespace {

// struct rte_eth_dev_data begins like this in every release from 21.11 to 26.07 (lib/ethdev/ethdev_driver.h, which is
// not installed). Its size differs and follows from the memzone's.
struct DevDataHead {
  char name[RTE_ETH_NAME_MAX_LEN];
  void** rx_queues;
  void** tx_queues;
  uint16_t nb_rx_queues;
  uint16_t nb_tx_queues;
};
static_assert(offsetof(DevDataHead, nb_rx_queues) == 80, "layout of the primary's ethdev data");

// struct eth_dev_shared: up to four words of owner bookkeeping, then the cache-aligned array.
constexpr size_t kArrayOffset = RTE_CACHE_LINE_SIZE;

}  // namespace

std::vector<Port> list_ports() {
  std::vector<Port> ports;
  const rte_memzone* zone = rte_memzone_lookup("rte_eth_dev_data");
  if (zone == nullptr) return ports;

  const size_t stride = (zone->len - kArrayOffset) / RTE_MAX_ETHPORTS / RTE_CACHE_LINE_SIZE * RTE_CACHE_LINE_SIZE;
  const char* array = static_cast<const char*>(zone->addr) + kArrayOffset;
  for (uint16_t id = 0; id < RTE_MAX_ETHPORTS; id++) {
    DevDataHead head;
    memcpy(&head, array + id * stride, sizeof head);
    if (head.name[0] == '\0') continue;
    const size_t length = strnlen(head.name, sizeof head.name);
    if (length == sizeof head.name || head.nb_rx_queues > RTE_MAX_QUEUES_PER_PORT ||
        head.nb_tx_queues > RTE_MAX_QUEUES_PER_PORT) {
      throw Error("ERR_VERSION_MISMATCH", "the primary's port table does not have the layout this build expects");
    }
    ports.push_back({id, std::string(head.name, length), head.nb_rx_queues, head.nb_tx_queues});
  }
  return ports;
}

}  // namespace dpcap
