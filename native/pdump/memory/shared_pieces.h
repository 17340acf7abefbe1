// Memory in the primary's huge pages, taken and given back in pieces of one huge page of 2 MiB.
//
// EAL holds the heap's lock, which lies in shared memory, while it asks the primary for pages and while the kernel
// clears them. Taking 160 MiB in one piece kept each allocation of the primary waiting for 39 ms, and giving them back
// for 69 ms (DPDK 22.11.11). So no piece is larger than it has to be, and the primary has its turn after each piece. A
// process that dies with the lock blocks the primary's next allocation for ever, so nothing else is done while EAL
// holds it.
//
// One thread at a time, and not one with a raised priority: it spins for EAL's locks, whose holder may need the CPU.
#pragma once
#include <rte_memzone.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace dpcap {

// What the primary's heap has, and how it would grow.
struct HeapRoom {
  uint64_t free_bytes;      // in pages that the heap has
  uint64_t greatest_bytes;  // in the largest piece of these
  uint64_t total_bytes;
  uint64_t page_bytes;  // size of a page that the heap would ask for
  int socket;           // NUMA socket of most of its memory
};
// Takes the heap's lock while the heap's elements are counted. Throws ERR_NO_MEMORY when there is no heap.
HeapRoom heap_room();

// Reserves a memzone where the primary has most of its memory. Throws ERR_NO_MEMORY; also ERR_PRIMARY_TIMEOUT when the
// primary did not answer. Nothing more may be asked for then: the primary may yet take back what it gives.
const rte_memzone* reserve_zone(const std::string& name, size_t bytes);
// Returns the error for a request that failed with `err` and was made at `asked_at_ns` (CLOCK_MONOTONIC).
Error no_memory(const std::string& name, int err, uint64_t asked_at_ns);
// The NUMA socket of most of the primary's memory.
int main_socket();

class SharedPieces {
 public:
  // Bytes of a piece. With EAL's own header (MALLOC_ELEM_OVERHEAD), a piece fills one page of 2 MiB to the last byte.
  // If some of the page were left, the primary would use it, and would give the page back by a call of its own, which
  // waits for this process.
  static constexpr size_t kPieceBytes = (2u << 20) - 2 * RTE_CACHE_LINE_SIZE;

  // `name` is the name of the owner record; the pieces are the memzones <name>_0, <name>_1 ...
  explicit SharedPieces(std::string name);
  // Leaves everything where it is. give_back() is for when the primary is known not to use it any more.
  ~SharedPieces() = default;
  SharedPieces(const SharedPieces&) = delete;
  SharedPieces& operator=(const SharedPieces&) = delete;

  // Returns zeroed memory for one object, behind the previous object if it fits there. Valid until give_back().
  // Throws as take_piece().
  void* take(size_t bytes);
  // Returns a piece of its own, of at least `bytes`. Throws as reserve_zone(), and ERR_ABANDONED after abandon().
  void* take_piece(size_t bytes = kPieceBytes);
  // Gives all pieces back, the last one first. Returns false when this was abandoned, or when the primary took too
  // long, before the end: what is left then can be found by its name.
  bool give_back();

  // Any thread. The call that is under way ends after its present piece.
  void abandon() { is_abandoned_ = true; }
  uint64_t bytes() const { return bytes_; }

 private:
  const std::string name_;
  std::vector<std::string> zones_;
  char* next_ = nullptr;  // free memory at the end of the newest piece for objects
  size_t left_ = 0;
  std::atomic<uint64_t> bytes_{0};
  std::atomic<bool> is_abandoned_{false};
};

// Frees the memzones of these names one by one, with pauses; names without a memzone are skipped. `point` is the fault
// point that is passed after each memzone. Returns false as give_back() does.
bool free_zones(const std::vector<std::string>& names, const std::atomic<bool>& is_abandoned, const char* point);

// Returns the names of `owner`'s memzones except the record's own: last piece first, mempool's header at the end.
std::vector<std::string> zones_of(const std::string& owner);

}  // namespace dpcap
