#include "reader/format/packet_time.h"

namespace dpcap {
namespace {

using Wide = __int128;

constexpr uint8_t kBinary = 0x80;
constexpr unsigned kNanoDigits = 9;
constexpr unsigned kMostDigits = kNanoDigits + 20;  // 10^20 has no place in 64 bits
constexpr unsigned kMostBits = 64 + 30;             // of a number of nanoseconds without the division
constexpr Wide kNsPerSecond = 1000000000;

Wide power_of_ten(unsigned exponent) {
  Wide power = 1;
  while (exponent-- > 0) power *= 10;
  return power;
}

Wide in_ns(uint64_t units, uint8_t resolution) {
  const unsigned exponent = resolution & ~kBinary & 0xff;
  if ((resolution & kBinary) != 0) return exponent >= kMostBits ? 0 : Wide{units} * kNsPerSecond >> exponent;
  if (exponent <= kNanoDigits) return Wide{units} * power_of_ten(kNanoDigits - exponent);
  return exponent >= kMostDigits ? 0 : Wide{units} / power_of_ten(exponent - kNanoDigits);
}

}  // namespace

uint64_t time_in_ns(uint64_t units, uint8_t resolution, int64_t offset_s) {
  const Wide ns = in_ns(units, resolution) + Wide{offset_s} * kNsPerSecond;
  if (ns < 0) return 0;
  return ns > Wide{UINT64_MAX} ? UINT64_MAX : static_cast<uint64_t>(ns);
}

}  // namespace dpcap
