// Runs a filter program here, on copies that came without having been filtered: for primaries that cannot load it.
// Any thread.
#pragma once
#include <rte_bpf.h>
#include <rte_mbuf.h>

#include <cstdint>
#include <vector>

namespace dpcap {

class Interpreter {
 public:
  // `code` is an array of 8-byte ebpf_insn as src/filter makes them: jumps go forward only.
  explicit Interpreter(const std::vector<uint8_t>& code);

  // Whether the program selects the `len` bytes at `offset` of the chain. `tags_in_data`: the mbuf's VLAN fields have
  // been put into the packet already. Nothing in the program or the mbuf makes it read anywhere else.
  bool matches(const rte_mbuf* mbuf, uint32_t offset, uint32_t len, bool tags_in_data) const;

 private:
  std::vector<ebpf_insn> program_;
};

}  // namespace dpcap
