// Times of pcapng, in whatever units an interface has. Any thread.
#pragma once
#include <cstdint>

namespace dpcap {

// A time as nanoseconds since 1970. `resolution`: if_tsresol, a power of ten, or of two with the highest bit; what is
// finer than nanoseconds is cut off. `offset_s`: seconds to add. A time that has no place in 64 bits is the nearest.
uint64_t time_in_ns(uint64_t units, uint8_t resolution, int64_t offset_s);

}  // namespace dpcap
