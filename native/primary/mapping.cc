#include "primary/mapping.h"

#include <rte_memory.h>

namespace dpcap {

bool is_mapped_here(const void* address) {
  const rte_memseg_list* list = rte_mem_virt2memseg_list(address);
  return list != nullptr && !list->external;
}

}  // namespace dpcap
