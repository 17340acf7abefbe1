// The part of filter.h that needs DPDK's headers, and none of its libraries.
#include <rte_mbuf.h>

#include "base/error.h"
#include "filter/ebpf_vm.h"
#include "filter/filter.h"
#include "filter/jit/jit.h"
#include "filter/mbuf_chain.h"

namespace dpcap {

MbufLayout mbuf_layout() {
  return {sizeof(rte_mbuf),
          offsetof(rte_mbuf, pkt_len),
          offsetof(rte_mbuf, ol_flags),
          offsetof(rte_mbuf, vlan_tci),
          offsetof(rte_mbuf, vlan_tci_outer),
          RTE_MBUF_F_RX_VLAN_STRIPPED,
          RTE_MBUF_F_RX_QINQ_STRIPPED,
          RTE_MBUF_F_TX_VLAN,
          RTE_MBUF_F_TX_QINQ};
}

std::vector<uint8_t> run_interpreter(const std::vector<uint8_t>& program, const std::vector<Sample>& frames,
                                     size_t segment_size) {
  const Interpreter interpreter(program);
  std::vector<uint8_t> verdicts;
  for (const Sample& frame : frames) {
    MbufChain chain(frame, segment_size);
    const auto* mbuf = static_cast<const rte_mbuf*>(chain.head());
    verdicts.push_back(interpreter.matches(mbuf, 0, mbuf->pkt_len, false) ? 1 : 0);
  }
  return verdicts;
}

std::vector<uint8_t> run_compiled(const std::vector<uint8_t>& program, const std::vector<Sample>& frames,
                                  size_t segment_size) {
  std::vector<ebpf_insn> insns(program.size() / sizeof(ebpf_insn));
  if (!insns.empty()) memcpy(insns.data(), program.data(), insns.size() * sizeof(ebpf_insn));
  dpcap_jit jit;
  const int err = dpcap_jit_make(&jit, insns.data(), static_cast<uint32_t>(insns.size()));
  if (err != 0) throw Error("ERR_FILTER_UNSUPPORTED", "the program cannot be compiled to machine code here", err);
  std::vector<uint8_t> verdicts;
  for (const Sample& frame : frames) {
    MbufChain chain(frame, segment_size);
    verdicts.push_back(jit.matches(static_cast<const rte_mbuf*>(chain.head())) ? 1 : 0);
  }
  dpcap_jit_free(&jit);
  return verdicts;
}

}  // namespace dpcap
