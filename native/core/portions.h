// The mbufs of a pool, in portions of neighbours in memory that are given out and come back as a whole.
//
// Mbufs come back in the order in which packets were copied, by several cores perhaps. Given out again in that order,
// neighbours drift apart cycle by cycle, until each packet is copied into another page, at a fourth of the speed. So a
// portion waits until all of it has come back, and is given out in the order of its addresses, again and again.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dpcap {

class Portions {
 public:
  struct Portion {
    void* const* mbufs;
    uint32_t count;
  };

  // `size`: mbufs of a portion; some may be smaller.
  explicit Portions(uint32_t size) : size_(size) {}

  // New ones (sorted already is quicker); returns all of them, to be given out. Valid until the next call.
  Portion add(std::vector<void*> mbufs);
  // The portion that is complete with this one, to be given out; count 0 when there is none. What was never added is
  // ignored.
  Portion came_back(const void* mbuf);

 private:
  struct Range {
    uintptr_t first;
    uintptr_t last;
    uint32_t shift;                  // two mbufs are never as near as 2^shift bytes
    std::vector<uint32_t> portions;  // of the mbuf that begins in that many bytes
  };
  struct Count {
    uint32_t first;  // index into mbufs_
    uint32_t size;
    uint32_t back;  // how many have come back
  };

  void add_range(size_t begin, size_t end, size_t old);
  Count* count_of(uintptr_t address);

  const uint32_t size_;
  std::vector<void*> mbufs_;
  std::vector<Count> counts_;
  std::vector<Range> ranges_;  // without large gaps
  size_t last_found_ = 0;      // of them
};

}  // namespace dpcap
