// Interprets a filter program in this process, on copies that the primary has not filtered because it cannot load the
// program. Any thread.
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

  // Whether the program selects the `len` bytes at `offset` of the chain. `tags_in_data`: the tags of the mbuf's VLAN
  // fields are in the packet already. Nothing in the program or the mbuf can make it read anywhere else.
  bool matches(const rte_mbuf* mbuf, uint32_t offset, uint32_t len, bool tags_in_data) const;

 private:
  std::vector<ebpf_insn> program_;
};

}  // namespace dpcap
