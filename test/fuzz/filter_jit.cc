// Programs made up by libFuzzer: what is compiled must select what the interpreter selects. An input is a number for
// the packet's segments, and instructions.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "filter/ebpf_vm.h"
#include "filter/jit/jit.h"

namespace {

constexpr size_t kPacketBytes = 60;

// The packet in pieces, each an allocation of exactly its length.
struct Packet {
  explicit Packet(size_t piece) {
    for (size_t at = 0; at < kPacketBytes; at += piece) {
      const size_t size = std::min(piece, kPacketBytes - at);
      std::vector<uint8_t>& bytes = data.emplace_back(size);
      for (size_t i = 0; i < size; i++) bytes[i] = static_cast<uint8_t>(at + i);
    }
    mbufs.resize(data.size());
    for (size_t i = 0; i < data.size(); i++) {
      memset(static_cast<void*>(&mbufs[i]), 0, sizeof mbufs[i]);
      mbufs[i].buf_addr = data[i].data();
      mbufs[i].buf_len = mbufs[i].data_len = static_cast<uint16_t>(data[i].size());
      if (i > 0) mbufs[i - 1].next = &mbufs[i];
    }
    mbufs[0].pkt_len = kPacketBytes;
  }
  std::vector<std::vector<uint8_t>> data;
  std::vector<rte_mbuf> mbufs;
};

// Makes another number of a pointer than the interpreter does, which has a copy of the mbuf.
bool calculates_with_pointers(const std::vector<ebpf_insn>& program) {
  for (const ebpf_insn& insn : program) {
    const bool is_access = (insn.code & 7) == BPF_LDX || (insn.code & 7) == BPF_STX;
    if (insn.src_reg == 1 || (insn.src_reg == 10 && !is_access)) return true;
    if ((insn.dst_reg == 1 || insn.dst_reg == 10) && !is_access) return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1 + sizeof(ebpf_insn)) return -1;
  std::vector<ebpf_insn> program((size - 1) / sizeof(ebpf_insn));
  memcpy(program.data(), data + 1, program.size() * sizeof(ebpf_insn));
  const auto count = static_cast<uint32_t>(program.size());
  dpcap_jit jit;
  if (dpcap_jit_make(&jit, program.data(), count) != 0) return 0;
  Packet packet(1 + data[0] % kPacketBytes);
  const bool selects = jit.matches(packet.mbufs.data());
  if (!calculates_with_pointers(program) &&
      selects != dpcap_ebpf_matches(program.data(), count, packet.mbufs.data(), 0, kPacketBytes, false))
    abort();
  dpcap_jit_free(&jit);
  return 0;
}
