// The direction of a packet, as the application sees it. Any thread.
#pragma once
#include <cstdint>

namespace dpcap {

// The values are RTE_PDUMP_FLAG_RX and RTE_PDUMP_FLAG_TX, and also pcapng's inbound and outbound.
enum class Direction : uint32_t { rx = 1, tx = 2 };

}  // namespace dpcap
