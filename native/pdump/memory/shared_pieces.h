// Memory in the primary's huge pages, taken and given back in pieces of one huge page of 2 MiB.
//
// EAL holds the heap's lock, which lies in shared memory, while it asks the primary for pages and while the kernel
// clears them: 160 MiB in one piece kept each allocation of the primary waiting for 39 ms, and giving them back for 69
// ms (DPDK 22.11.11). So no piece is larger than it has to be, and after each the primary has its turn. And whoever
// dies with the lock stops the primary's next allocation for ever: nothing else is done while EAL holds it.
//
// One thread at a time, and not one that goes before others: it spins for EAL's locks, whose holder may need the CPU.
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
  uint64_t free_bytes;      // in pages that it has
  uint64_t greatest_bytes;  // in one piece
  uint64_t total_bytes;
  uint64_t page_bytes;  // of a page that it would ask for
  int socket;           // NUMA socket of most of its memory
};
// Takes the heap's lock for as long as its elements are counted. Throws ERR_NO_MEMORY when there is no heap.
HeapRoom heap_room();

// One memory zone where the primary has most of its memory. Throws ERR_NO_MEMORY; ERR_PRIMARY_TIMEOUT when the primary
// did not answer, after which nothing more may be asked for: it may yet take back what it gives.
const rte_memzone* reserve_zone(const std::string& name, size_t bytes);
// The error of a request that failed with `err` and was made at `asked_at_ns` (CLOCK_MONOTONIC).
Error no_memory(const std::string& name, int err, uint64_t asked_at_ns);
// The NUMA socket of most of the primary's memory.
int main_socket();

class SharedPieces {
 public:
  // Bytes of a piece: with EAL's own header (MALLOC_ELEM_OVERHEAD) it fills one page of 2 MiB to the last byte. What
  // would be left of it the primary would use, and the page would be given back by a call of its own, which waits for
  // us.
  static constexpr size_t kPieceBytes = (2u << 20) - 2 * RTE_CACHE_LINE_SIZE;

  // `name`: of the owner record; the pieces are the memory zones <name>_0, <name>_1 ...
  explicit SharedPieces(std::string name);
  // Leaves everything where it is: give_back() is for when the primary is known to be out of it.
  ~SharedPieces() = default;
  SharedPieces(const SharedPieces&) = delete;
  SharedPieces& operator=(const SharedPieces&) = delete;

  // Zeroed memory for one object, behind the one before if it fits there. Valid until give_back().
  // Throws as take_piece().
  void* take(size_t bytes);
  // A piece of its own, of at least `bytes`. Throws as reserve_zone(), and ERR_ABANDONED after abandon().
  void* take_piece(size_t bytes = kPieceBytes);
  // All of it, last piece first. False when it was abandoned, or the primary took too long, before the end: what is
  // left then can be found by its name.
  bool give_back();

  // Any thread: the call that is under way ends after its present piece.
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

// Frees the memory zones of these names one by one with pauses; names without a zone are passed over. `point`: of the
// faults that tests ask for after each. False as for give_back().
bool free_zones(const std::vector<std::string>& names, const std::atomic<bool>& is_abandoned, const char* point);

// The names of `owner`'s memory zones but the record's own: last piece first, then the mempool's header.
std::vector<std::string> zones_of(const std::string& owner);

// Whether `address` is in memory of the primary's that is mapped here. False for what an application has put under
// EAL's management itself (external memory, such as testpmd's --mp-alloc=xmem).
bool is_mapped_here(const void* address);

}  // namespace dpcap
