// What a capture has in the primary's shared memory besides its mempool: a ring for each lane, and the filter program.
// Both lie in pieces (SharedPieces), which free them; here is how they are laid out.
#pragma once
#include <rte_bpf.h>
#include <rte_ring.h>

#include <cstdint>
#include <vector>

#include "pdump/client.h"
#include "pdump/memory/shared_pieces.h"

namespace dpcap {

// A ring from one port, queue and direction to us, with room for `mbufs`. Throws as SharedPieces::take_piece().
rte_ring* make_copy_ring(SharedPieces& pieces, uint32_t mbufs);

// The filter programs as pdump wants them, for received and for transmitted packets: headers and instructions. The
// primary copies them on enable.
class SharedProgram {
 public:
  // Arrays of 8-byte ebpf_insn; both empty for match-all, for which get() is nullptr. Throws as
  // SharedPieces::take_piece().
  SharedProgram(SharedPieces& pieces, const std::vector<uint8_t>& rx, const std::vector<uint8_t>& tx);

  rte_bpf_prm* get(Direction direction) const {
    return prm_ == nullptr || direction == Direction::rx ? prm_ : prm_ + 1;
  }

 private:
  rte_bpf_prm* prm_ = nullptr;
};

}  // namespace dpcap
