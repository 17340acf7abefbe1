// Interprets a filter program where librte_bpf does not: on copies in the engine that the primary has not filtered
// because it cannot load the program, and in an application that the agent is in and librte_bpf is not. Any thread.
// C and C++ include this file.
#pragma once
#include <rte_bpf.h>
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Whether the program of `count` instructions, as src/filter makes them (jumps go forward only), selects the `len`
// bytes at `offset` of the chain. `tags_in_data`: the tags of the mbuf's VLAN fields are in the packet already. Nothing
// in the program or the mbuf can make it read anywhere else.
bool dpcap_ebpf_matches(const struct ebpf_insn* program, uint32_t count, const struct rte_mbuf* mbuf, uint32_t offset,
                        uint32_t len, bool tags_in_data);

// Returns the `size` bytes (1, 2 or 4) at `at` of the chain that begins with this segment, as a number in network
// order; -1 when the chain does not have them all.
int64_t dpcap_ebpf_load(const struct rte_mbuf* segment, uint64_t at, uint32_t size);

#ifdef __cplusplus
}

#include <cstring>
#include <vector>

namespace dpcap {

class Interpreter {
 public:
  // `code` is an array of 8-byte ebpf_insn.
  explicit Interpreter(const std::vector<uint8_t>& code) : program_(code.size() / sizeof(ebpf_insn)) {
    if (!program_.empty()) memcpy(program_.data(), code.data(), program_.size() * sizeof(ebpf_insn));
  }

  // An empty program selects everything.
  bool matches(const rte_mbuf* mbuf, uint32_t offset, uint32_t len, bool tags_in_data) const {
    return program_.empty() ||
           dpcap_ebpf_matches(program_.data(), static_cast<uint32_t>(program_.size()), mbuf, offset, len, tags_in_data);
  }

 private:
  std::vector<ebpf_insn> program_;
};

// A filter for packets that are received and for those that are sent.
struct Filters {
  Interpreter rx;
  Interpreter tx;
};
// Makes those of several pairs of programs, `rx` and `tx`.
template <typename Programs>
std::vector<Filters> interpreters(const std::vector<Programs>& programs) {
  std::vector<Filters> filters;
  for (const Programs& one : programs) filters.push_back({Interpreter(one.rx), Interpreter(one.tx)});
  return filters;
}

}  // namespace dpcap
#endif
