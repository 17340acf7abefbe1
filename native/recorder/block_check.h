// Checks that bytes of a black box are a record as the agent writes them. Any thread.
#pragma once
#include <cstddef>
#include <cstdint>

#include "base/direction.h"

namespace dpcap {

// A record that was checked.
struct CheckedBlock {
  size_t size;  // 0: there is no sound record
  uint64_t time_ns;
  uint32_t caplen;
  uint32_t len;
};

// `left`: bytes that are there. `interfaces`: how many the file has.
CheckedBlock check_block(const uint8_t* bytes, size_t left, uint32_t interfaces);

}  // namespace dpcap
