// How a packet was copied. The values are those of pdump's protocol.
#pragma once
#include <cstdint>

namespace dpcap {

enum class CopyMode : uint16_t {
  plain = 1,    // data only: cheapest; neither timestamp nor original length
  stamped = 2,  // wrapped in a pcapng block: timestamp and original length taken in the primary
};

}  // namespace dpcap
