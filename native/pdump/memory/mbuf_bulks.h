// The mbufs of a pool, in bulks of neighbours in memory that are given out and come back as a whole.
//
// Mbufs come back in the order in which packets were copied, by several cores perhaps. Given out again in that order,
// neighbours drift apart cycle by cycle, until each packet is copied into another page, at a fourth of the speed. So a
// bulk waits until all of it has come back, and is given out in the order of its addresses, again and again. And
// whole bulks can be kept back, so that fewer go around (WorkingSet).
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace dpcap {

class MbufBulks {
 public:
  struct Bulk {
    void* const* mbufs;
    uint32_t count;
  };

  // `size`: mbufs of a bulk; some may be smaller.
  explicit MbufBulks(uint32_t size) : size_(size) {}

  // Mbufs of a whole bulk.
  uint32_t size() const { return size_; }
  // New ones (sorted already is quicker); returns all of them, to be given out. Valid until the next call.
  Bulk add(std::vector<void*> mbufs);
  // The bulk that is complete with this one, to be given out; count 0 when there is none. What was never added is
  // ignored.
  Bulk came_back(const void* mbuf) {
    const uintptr_t address = reinterpret_cast<uintptr_t>(mbuf);
    Count* count = count_in(*near_, address);
    if (count == nullptr) count = find(address);
    if (count == nullptr || ++count->back < count->size) return {nullptr, 0};
    return complete(*count);
  }
  // From now on no more than about `mbufs` are out: complete bulks are kept back.
  void keep_out(uint32_t mbufs) { most_out_ = mbufs; }
  // No more than `mbufs` are given out until the next call of this.
  void allow(uint32_t mbufs) { allowed_ = mbufs; }
  // One that was kept back and may be given out now, the last one that came back first, because it is still in a cache;
  // count 0 when there is none.
  Bulk next_kept();
  // How many are kept back.
  uint32_t kept() const { return static_cast<uint32_t>(mbufs_.size()) - out_; }

 private:
  struct Range {
    uintptr_t first = 0;
    uintptr_t size = 0;           // bytes, from the first mbuf to the beginning of the last
    uint32_t shift = 0;           // two mbufs are never as near as 2^shift bytes
    std::vector<uint32_t> bulks;  // of the mbuf that begins in that many bytes
  };
  struct Count {
    uint32_t first;  // index into mbufs_
    uint32_t size;
    uint32_t back;  // how many have come back
  };
  static constexpr uint32_t kNone = UINT32_MAX;

  void add_range(size_t begin, size_t end, size_t old);
  // nullptr when it is none of that range.
  Count* count_in(const Range& range, uintptr_t address) {
    if (address - range.first > range.size) return nullptr;
    const uint32_t number = range.bulks[(address - range.first) >> range.shift];
    return number == kNone ? nullptr : &counts_[number];
  }
  Count* find(uintptr_t address);
  Bulk complete(Count& count);

  const uint32_t size_;
  std::vector<void*> mbufs_;
  std::vector<Count> counts_;
  std::deque<Range> ranges_{{0, 0, 0, {kNone}}};  // without large gaps; the first is empty
  const Range* near_ = &ranges_.front();          // where the last one was found
  std::vector<uint32_t> kept_;                    // bulks
  uint32_t out_ = 0;
  uint32_t most_out_ = UINT32_MAX;
  uint32_t allowed_ = UINT32_MAX;
};

}  // namespace dpcap
