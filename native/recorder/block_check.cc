#include "recorder/block_check.h"

#include <cstring>

#include "record/pcap_format.h"

namespace dpcap {
namespace {

constexpr uint32_t kPacketBlock = 6;
constexpr size_t kLengthBytes = 4;
constexpr size_t kOptionHeadBytes = 4;
// Of a packet: the most that a recorder is asked for, and that readers of pcapng take. Of all else in its block.
constexpr size_t kMostPacketBytes = 262144;
constexpr size_t kMostOtherBytes = 128;

// Whether options fill the place between the packet and the closing length.
bool are_options(const uint8_t* bytes, size_t size) {
  while (size >= kOptionHeadBytes) {
    uint16_t head[2];
    memcpy(head, bytes, sizeof head);
    if (head[0] == 0) return head[1] == 0 && size == kOptionHeadBytes;
    const size_t option = kOptionHeadBytes + padded(head[1]);
    if (option > size) return false;
    bytes += option;
    size -= option;
  }
  return size == 0;
}

}  // namespace

CheckedBlock check_block(const uint8_t* bytes, size_t left, uint32_t interfaces) {
  constexpr CheckedBlock kNone{0, 0, 0, 0};
  if (left < kEpbHeadBytes + kLengthBytes) return kNone;
  uint32_t head[7];  // type, length, interface, time (2), caplen, len
  memcpy(head, bytes, sizeof head);
  const size_t size = head[1];
  if (head[0] != kPacketBlock || size % 4 != 0 || size > left || head[2] >= interfaces) return kNone;
  if (head[5] > kMostPacketBytes || size > kMostPacketBytes + kMostOtherBytes) return kNone;
  const size_t packet = padded(head[5]);
  if (head[5] > head[6] || size < kEpbHeadBytes + kLengthBytes || packet > size - kEpbHeadBytes - kLengthBytes)
    return kNone;
  uint32_t again;
  memcpy(&again, bytes + size - kLengthBytes, sizeof again);
  const size_t options = size - kEpbHeadBytes - packet - kLengthBytes;
  if (again != size || !are_options(bytes + kEpbHeadBytes + packet, options)) return kNone;
  return {size, uint64_t{head[3]} << 32 | head[4], head[5], head[6]};
}

}  // namespace dpcap
