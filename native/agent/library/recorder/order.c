#include "agent/library/recorder/order.h"

#include <string.h>

#include "agent/box.h"
#include "agent/library/datapath/filter.h"

static bool is_sane(const struct dpcap_agent_recorder_order *head) {
  if (head->memory_bytes < RECORDER_LEAST_MEMORY || head->memory_bytes > RECORDER_MOST_MEMORY) return false;
  if (head->snaplen == 0 || head->snaplen > RECORDER_MOST_SNAPLEN) return false;
  if (head->directions == 0 || (head->directions & ~(uint32_t)(DPCAP_AGENT_RX | DPCAP_AGENT_TX)) != 0) return false;
  return head->filter_bytes < DPCAP_BOX_FILTER_BYTES;
}

bool recorder_order_read(const void *bytes, size_t size, struct recorder_order *order) {
  if (size < sizeof order->head) return false;
  memcpy(&order->head, bytes, sizeof order->head);
  const struct dpcap_agent_recorder_order *const head = &order->head;
  if (!is_sane(head)) return false;
  const uint64_t device_bytes = (uint64_t)head->device_count * DPCAP_AGENT_DEVICE_BYTES;
  const uint64_t program_bytes = ((uint64_t)head->rx_instructions + head->tx_instructions) * FILTER_INSTRUCTION_BYTES;
  if (size != sizeof *head + device_bytes + program_bytes + head->filter_bytes) return false;
  const uint8_t *const devices = (const uint8_t *)bytes + sizeof *head;
  order->devices = (const void *)devices;
  order->programs = devices + device_bytes;
  order->filter = (const char *)order->programs + program_bytes;
  for (uint32_t i = 0; i < head->device_count; i++) {
    if (memchr(order->devices[i], 0, DPCAP_AGENT_DEVICE_BYTES) == NULL) return false;
  }
  return true;
}

bool recorder_order_has(const struct recorder_order *order, const char *device) {
  bool is_asked_for = order->head.device_count == 0;
  for (uint32_t i = 0; i < order->head.device_count && !is_asked_for; i++)
    is_asked_for = strcmp(order->devices[i], device) == 0;
  return is_asked_for;
}
