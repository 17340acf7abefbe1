#include "core/shared_memory.h"

#include <rte_errno.h>
#include <rte_malloc.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"

namespace dpcap {
namespace {

// Mbufs each polling lcore of the primary may keep to itself. Saves it a ring operation per copy.
constexpr uint32_t kCacheSize = 256;

rte_mempool* try_create(const std::string& name, uint32_t mbufs, uint32_t data_room) {
  // ring_mp_mc by name: the platform's preferred handler may be hardware that only the primary has.
  return rte_pktmbuf_pool_create_by_ops(name.c_str(), mbufs, mbufs > 4 * kCacheSize ? kCacheSize : 0, 0,
                                        static_cast<uint16_t>(data_room), SOCKET_ID_ANY, "ring_mp_mc");
}

void describe(rte_bpf_prm* prm, const std::vector<uint8_t>& program, uint8_t* code) {
  memcpy(code, program.data(), program.size());
  prm->ins = reinterpret_cast<const ebpf_insn*>(code);
  prm->nb_ins = static_cast<uint32_t>(program.size() / sizeof(ebpf_insn));
  prm->prog_arg.type = RTE_BPF_ARG_PTR_MBUF;
  prm->prog_arg.size = sizeof(rte_mbuf);
  prm->prog_arg.buf_size = RTE_MBUF_DEFAULT_BUF_SIZE;
}

}  // namespace

CopyPool::CopyPool(const std::string& name, uint32_t mbufs, uint32_t data_room) {
  for (mbufs_ = mbufs; pool_ == nullptr && mbufs_ >= kMinMbufs; mbufs_ /= 2) {
    pool_ = try_create(name, mbufs_, data_room);
    if (pool_ != nullptr) break;
    if (rte_errno != ENOMEM) break;
  }
  if (pool_ == nullptr) {
    throw Error("ERR_NO_MEMORY", "cannot create the mempool for copies in the primary's huge pages", rte_errno, name);
  }
  held_.resize(mbufs_);
  if (rte_mempool_ops_dequeue_bulk(pool_, held_.data(), mbufs_) != 0) {
    rte_mempool_free(pool_);
    throw Error("ERR_NO_MEMORY", "the new mempool is not full", ENOBUFS, name);
  }
}

CopyPool::~CopyPool() {
  if (pool_ == nullptr) return;
  open();
  rte_mempool_free(pool_);
}

void CopyPool::open() {
  if (held_.empty()) return;
  rte_mempool_ops_enqueue_bulk(pool_, held_.data(), static_cast<unsigned>(held_.size()));
  held_.clear();
}

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
