// Owners of what a capture allocates in the primary's shared memory: the rings, the filter program
// (and copy_pool.h: the mempool).
//
// Every destructor frees, so it must only run when the primary can no longer touch the object: see Capture::finish.
// abandon() leaves the object where it is.
#pragma once
#include <rte_bpf.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/pdump.h"

namespace dpcap {

// One rte_ring from one port, queue and direction to us.
class CopyRing {
 public:
  CopyRing() = default;
  CopyRing(const std::string& name, uint32_t slots);
  // Takes a ring over.
  explicit CopyRing(rte_ring* ring) : ring_(ring) {}
  ~CopyRing();
  CopyRing(CopyRing&& other) noexcept : ring_(other.ring_) { other.ring_ = nullptr; }
  CopyRing(const CopyRing&) = delete;
  CopyRing& operator=(const CopyRing&) = delete;

  rte_ring* get() const { return ring_; }
  void abandon() { ring_ = nullptr; }

 private:
  rte_ring* ring_ = nullptr;
};

// The filter programs as pdump wants them, for received and for transmitted packets: one block with headers and
// instructions. The primary copies them on enable.
class SharedProgram {
 public:
  // Arrays of 8-byte ebpf_insn; both empty for match-all, for which get() is nullptr.
  SharedProgram(const std::vector<uint8_t>& rx, const std::vector<uint8_t>& tx);
  ~SharedProgram();
  SharedProgram(const SharedProgram&) = delete;
  SharedProgram& operator=(const SharedProgram&) = delete;

  // The block, which is also the program for received packets.
  rte_bpf_prm* get() const { return prm_; }
  rte_bpf_prm* get(Direction direction) const {
    return prm_ == nullptr || direction == Direction::rx ? prm_ : prm_ + 1;
  }
  void abandon() { prm_ = nullptr; }

 private:
  rte_bpf_prm* prm_ = nullptr;
};

}  // namespace dpcap
