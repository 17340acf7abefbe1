#include "reader/packet_filter.h"

#include <algorithm>
#include <cstring>

namespace dpcap {

PacketFilter::PacketFilter(const std::vector<uint8_t>& code)
    : interpreter_(code), is_empty_(code.empty()), segments_(kSegments) {
  memset(static_cast<void*>(segments_.data()), 0, segments_.size() * sizeof(rte_mbuf));
  if (is_empty_) return;
  std::vector<ebpf_insn> program(code.size() / sizeof(ebpf_insn));
  memcpy(program.data(), code.data(), program.size() * sizeof(ebpf_insn));
  // Where there is no compiler, or it may not write code, the interpreter does the same.
  if (dpcap_jit_make(&jit_, program.data(), static_cast<uint32_t>(program.size())) != 0) jit_ = {};
}

PacketFilter::~PacketFilter() {
  if (jit_.matches != nullptr) dpcap_jit_free(&jit_);
}

bool PacketFilter::matches(const uint8_t* bytes, uint32_t caplen, uint32_t len) {
  if (is_empty_) return true;
  uint32_t done = 0;
  for (uint32_t i = 0; i == 0 || done < caplen; i++) {
    rte_mbuf& segment = segments_[i];
    const uint32_t size = std::min(caplen - done, kSegment);
    segment.buf_addr = const_cast<uint8_t*>(bytes) + done;
    segment.data_len = segment.buf_len = static_cast<uint16_t>(size);
    done += size;
    segment.next = done < caplen ? &segments_[i + 1] : nullptr;
  }
  rte_mbuf& packet = segments_.front();
  packet.pkt_len = std::max(caplen, len);
  if (jit_.matches != nullptr) return jit_.matches(&packet);
  return interpreter_.matches(&packet, 0, packet.pkt_len, false);
}

}  // namespace dpcap
