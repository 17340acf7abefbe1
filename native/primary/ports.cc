#include "primary/ports.h"

#include <rte_config.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_memzone.h>

#include <atomic>
#include <cstring>

#include "base/error.h"

namespace dpcap {
namespace {

// struct rte_eth_dev_data begins like this in every release from 21.11 to 26.07 (lib/ethdev/ethdev_driver.h, which is
// not installed). Its size differs between releases and follows from the memzone's size.
struct DevDataHead {
  char name[RTE_ETH_NAME_MAX_LEN];
  void** rx_queues;
  void** tx_queues;
  uint16_t nb_rx_queues;
  uint16_t nb_tx_queues;
};
static_assert(offsetof(DevDataHead, nb_rx_queues) == 80, "layout of the primary's ethdev data");

// struct eth_dev_shared has up to four words of owner bookkeeping, then the cache-aligned array.
constexpr size_t kArrayOffset = RTE_CACHE_LINE_SIZE;

// The memzone is looked up, under a lock of EAL's, until it is found. Afterwards its descriptor tells whether it
// exists: the descriptor stays mapped, and is zeroed before the memzone is freed (from 23.11 on with the last port).
const rte_memzone* ports_zone() {
  static std::atomic<const rte_memzone*> found{nullptr};
  const rte_memzone* zone = found.load(std::memory_order_acquire);
  if (zone == nullptr) {
    zone = rte_memzone_lookup("rte_eth_dev_data");
    found.store(zone, std::memory_order_release);
  }
  return zone != nullptr && zone->addr != nullptr && zone->len > kArrayOffset ? zone : nullptr;
}

const char* slot_at(uint16_t id) {
  const rte_memzone* zone = ports_zone();
  if (zone == nullptr || id >= RTE_MAX_ETHPORTS) return nullptr;
  const size_t stride = (zone->len - kArrayOffset) / RTE_MAX_ETHPORTS / RTE_CACHE_LINE_SIZE * RTE_CACHE_LINE_SIZE;
  return static_cast<const char*>(zone->addr) + kArrayOffset + id * stride;
}

}  // namespace

Port port_in_slot(uint16_t id) {
  const char* slot = slot_at(id);
  if (slot == nullptr) return {id, "", 0, 0};
  DevDataHead head;
  memcpy(&head, slot, sizeof head);
  const size_t length = strnlen(head.name, sizeof head.name);
  if (length == sizeof head.name || head.nb_rx_queues > RTE_MAX_QUEUES_PER_PORT ||
      head.nb_tx_queues > RTE_MAX_QUEUES_PER_PORT) {
    throw Error("ERR_VERSION_MISMATCH", "the primary's port table does not have the layout this build expects");
  }
  return {id, std::string(head.name, length), head.nb_rx_queues, head.nb_tx_queues};
}

bool slot_holds(uint16_t id, const std::string& name) {
  const char* slot = slot_at(id);
  return slot != nullptr && name.size() < RTE_ETH_NAME_MAX_LEN && memcmp(slot, name.c_str(), name.size() + 1) == 0;
}

std::vector<Port> list_ports() {
  std::vector<Port> ports;
  for (uint16_t id = 0; id < RTE_MAX_ETHPORTS; id++) {
    Port port = port_in_slot(id);
    if (!port.name.empty()) ports.push_back(std::move(port));
  }
  return ports;
}

}  // namespace dpcap
