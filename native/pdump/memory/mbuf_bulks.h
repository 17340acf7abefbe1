// The mbufs of a mempool, in bulks of neighbours in memory. A bulk is given out as a whole and comes back as a whole.
// The lock of CaptureMempool protects it.
//
// Mbufs come back in the order in which packets were copied, perhaps by several cores. Given out again in that order,
// neighbours would drift apart cycle by cycle, until each packet is copied into another page, at a fourth of the speed.
// So a bulk waits until all of it has come back, and is always given out in the order of its addresses. Whole bulks can
// also be kept back, so that fewer mbufs circulate (WorkingSet).
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

  // `size` is the number of mbufs in a bulk; some bulks may be smaller.
  explicit MbufBulks(uint32_t size) : size_(size) {}

  // The number of mbufs in a whole bulk.
  uint32_t size() const { return size_; }
  // Adds new mbufs (quicker when they are sorted). Returns all of them, to be given out; valid until the next call.
  Bulk add(std::vector<void*> mbufs);
  // Takes one mbuf back. Returns the bulk that is complete with it, to be given out; count 0 when there is none. An
  // mbuf that was never added is ignored.
  Bulk came_back(const void* mbuf) {
    const uintptr_t address = reinterpret_cast<uintptr_t>(mbuf);
    Count* count = count_in(*near_, address);
    if (count == nullptr) count = find(address);
    if (count == nullptr || ++count->back < count->size) return {nullptr, 0};
    return complete(*count);
  }
  // From now on, no more than about `mbufs` mbufs are out: complete bulks are kept back.
  void keep_out(uint32_t mbufs) { most_out_ = mbufs; }
  // No more than `mbufs` mbufs are given out until the next call of allow().
  void allow(uint32_t mbufs) { allowed_ = mbufs; }
  // Returns a bulk that was kept back and may be given out now; count 0 when there is none. The bulk that came back
  // last goes first, because it is still in a cache.
  Bulk next_kept();
  // The number of mbufs that are kept back.
  uint32_t kept() const { return static_cast<uint32_t>(mbufs_.size()) - out_; }

 private:
  struct Range {
    uintptr_t first = 0;
    uintptr_t size = 0;           // bytes, from the first mbuf to the beginning of the last
    uint32_t shift = 0;           // two mbufs are never nearer than 2^shift bytes
    std::vector<uint32_t> bulks;  // by offset in units of 2^shift bytes: the bulk of the mbuf that begins there
  };
  struct Count {
    uint32_t first;  // index into mbufs_
    uint32_t size;
    uint32_t back;  // how many mbufs have come back
  };
  static constexpr uint32_t kNone = UINT32_MAX;

  void add_range(size_t begin, size_t end, size_t old);
  // Returns nullptr when no mbuf of that range begins there.
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
  std::deque<Range> ranges_{{0, 0, 0, {kNone}}};  // ranges without large gaps; the first is empty
  const Range* near_ = &ranges_.front();          // where the last mbuf was found
  std::vector<uint32_t> kept_;                    // bulks, as indices into counts_
  uint32_t out_ = 0;
  uint32_t most_out_ = UINT32_MAX;
  uint32_t allowed_ = UINT32_MAX;
};

}  // namespace dpcap
