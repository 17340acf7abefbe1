#include "core/shared_memory.h"

#include <rte_errno.h>
#include <rte_malloc.h>

#include <cstring>

#include "core/error.h"

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

CopyRing::CopyRing(const std::string& name, uint32_t slots)
    : ring_(rte_ring_create(name.c_str(), slots, SOCKET_ID_ANY, 0)) {
  if (ring_ == nullptr) throw Error("ERR_NO_MEMORY", "cannot create the ring " + name, rte_errno, name);
}

CopyRing::~CopyRing() { rte_ring_free(ring_); }

SharedProgram::SharedProgram(const std::vector<uint8_t>& rx, const std::vector<uint8_t>& tx) {
  if (rx.empty() && tx.empty()) return;
  const size_t size = 2 * sizeof(rte_bpf_prm) + rx.size() + tx.size();
  prm_ = static_cast<rte_bpf_prm*>(rte_zmalloc("dpcap_program", size, 0));
  if (prm_ == nullptr) throw Error("ERR_NO_MEMORY", "cannot place the filter program in shared memory", ENOMEM);
  auto* code = reinterpret_cast<uint8_t*>(prm_ + 2);
  describe(prm_, rx, code);
  describe(prm_ + 1, tx, code + rx.size());
}

SharedProgram::~SharedProgram() { rte_free(prm_); }

}  // namespace dpcap
