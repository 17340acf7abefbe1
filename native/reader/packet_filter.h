// Applies a filter program to packets of a file: compiled where that is possible, else interpreted. One thread at a
// time.
#pragma once
#include <cstdint>
#include <vector>

#include "filter/ebpf_vm.h"
#include "filter/jit/jit.h"

namespace dpcap {

class PacketFilter {
 public:
  // `code` is an array of 8-byte ebpf_insn; an empty one selects everything.
  explicit PacketFilter(const std::vector<uint8_t>& code);
  ~PacketFilter();
  PacketFilter(const PacketFilter&) = delete;
  PacketFilter& operator=(const PacketFilter&) = delete;

  // Whether it selects a packet of which `caplen` bytes are there, and which was `len` bytes long. As with libpcap, it
  // is not selected when the filter looks at a byte that is not there.
  bool matches(const uint8_t* bytes, uint32_t caplen, uint32_t len);

 private:
  // The most bytes of a segment: its length has 16 bits.
  static constexpr uint32_t kSegment = UINT16_MAX;
  static constexpr uint32_t kSegments = 262144 / kSegment + 1;

  const Interpreter interpreter_;
  const bool is_empty_;
  dpcap_jit jit_{};
  std::vector<rte_mbuf> segments_;
};

}  // namespace dpcap
