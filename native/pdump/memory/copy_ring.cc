#include "pdump/memory/copy_ring.h"

#include <rte_mbuf.h>

#include <cstring>

namespace dpcap {
namespace {

void describe(rte_bpf_prm* prm, const std::vector<uint8_t>& program, uint8_t* code) {
  memcpy(code, program.data(), program.size());
  prm->ins = reinterpret_cast<const ebpf_insn*>(code);
  prm->nb_ins = static_cast<uint32_t>(program.size() / sizeof(ebpf_insn));
  prm->prog_arg.type = RTE_BPF_ARG_PTR_MBUF;
  prm->prog_arg.size = sizeof(rte_mbuf);
  prm->prog_arg.buf_size = RTE_MBUF_DEFAULT_BUF_SIZE;
}

}  // namespace

rte_ring* make_copy_ring(SharedPieces& pieces, uint32_t mbufs) {
  const unsigned slots = rte_align32pow2(mbufs + 1);
  auto* ring = static_cast<rte_ring*>(pieces.take(static_cast<size_t>(rte_ring_get_memsize(slots))));
  rte_ring_init(ring, "dpcap", slots, 0);
  return ring;
}

SharedProgram::SharedProgram(SharedPieces& pieces, const std::vector<uint8_t>& rx, const std::vector<uint8_t>& tx) {
  if (rx.empty() && tx.empty()) return;
  prm_ = static_cast<rte_bpf_prm*>(pieces.take(2 * sizeof(rte_bpf_prm) + rx.size() + tx.size()));
  auto* code = reinterpret_cast<uint8_t*>(prm_ + 2);
  describe(prm_, rx, code);
  describe(prm_ + 1, tx, code + rx.size());
}

}  // namespace dpcap
