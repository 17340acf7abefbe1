// Lays out what a capture has in the primary's shared memory besides its mempool: a ring for each lane, and the filter
// program. Both lie in pieces (SharedPieces), which free them.
#pragma once
#include <rte_bpf.h>
#include <rte_ring.h>

#include <cstdint>
#include <vector>

#include "pdump/client.h"
#include "pdump/memory/shared_pieces.h"

namespace dpcap {

// Makes the ring of a lane, with room for `mbufs` copies. Throws as SharedPieces::take_piece().
rte_ring* make_copy_ring(SharedPieces& pieces, uint32_t mbufs);

// The filter programs in the form that pdump requires, for received and for transmitted packets: headers and
// instructions. The primary copies them on enable.
class SharedProgram {
 public:
  // `rx` and `tx` are arrays of 8-byte ebpf_insn. Both are empty for match-all; get() then returns nullptr. Throws as
  // SharedPieces::take_piece().
  SharedProgram(SharedPieces& pieces, const std::vector<uint8_t>& rx, const std::vector<uint8_t>& tx);

  rte_bpf_prm* get(Direction direction) const {
    return prm_ == nullptr || direction == Direction::rx ? prm_ : prm_ + 1;
  }

 private:
  rte_bpf_prm* prm_ = nullptr;
};

}  // namespace dpcap
