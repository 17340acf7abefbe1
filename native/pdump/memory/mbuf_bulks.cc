#include "pdump/memory/mbuf_bulks.h"

#include <algorithm>

namespace dpcap {
namespace {

constexpr uintptr_t kLargeGap = 1 << 20;

uintptr_t address_of(const void* mbuf) { return reinterpret_cast<uintptr_t>(mbuf); }

}  // namespace

MbufBulks::Bulk MbufBulks::add(std::vector<void*> mbufs) {
  if (!std::is_sorted(mbufs.begin(), mbufs.end())) std::sort(mbufs.begin(), mbufs.end());
  const size_t old = mbufs_.size();
  size_t begin = old;
  mbufs_.insert(mbufs_.end(), mbufs.begin(), mbufs.end());
  for (size_t i = begin; i < mbufs_.size(); i++) {
    const bool is_last = i + 1 == mbufs_.size();
    if (!is_last && address_of(mbufs_[i + 1]) - address_of(mbufs_[i]) < kLargeGap) continue;
    add_range(begin, i + 1, old);
    begin = i + 1;
  }
  out_ += static_cast<uint32_t>(mbufs.size());
  return {mbufs_.data() + old, static_cast<uint32_t>(mbufs.size())};
}

// Adds a range of mbufs_, which is sorted. `old` is how many mbufs there were before.
void MbufBulks::add_range(size_t begin, size_t end, size_t old) {
  uintptr_t nearest = kLargeGap;
  for (size_t i = begin + 1; i < end; i++) {
    nearest = std::min(nearest, address_of(mbufs_[i]) - address_of(mbufs_[i - 1]));
  }
  Range range{address_of(mbufs_[begin]), address_of(mbufs_[end - 1]) - address_of(mbufs_[begin]), 0, {}};
  while (uintptr_t{2} << range.shift <= nearest) range.shift++;
  range.bulks.assign((range.size >> range.shift) + 1, kNone);
  for (size_t i = begin; i < end; i++) {
    if ((i - old) % size_ == 0) {
      const auto size = static_cast<uint32_t>(std::min<size_t>(size_, mbufs_.size() - i));
      counts_.push_back({static_cast<uint32_t>(i), size, 0});
    }
    range.bulks[(address_of(mbufs_[i]) - range.first) >> range.shift] = static_cast<uint32_t>(counts_.size() - 1);
  }
  ranges_.push_back(std::move(range));
}

// Asks every range, because a range may lie in a gap of another.
MbufBulks::Count* MbufBulks::find(uintptr_t address) {
  for (const Range& range : ranges_) {
    Count* count = count_in(range, address);
    if (count == nullptr) continue;
    near_ = &range;
    return count;
  }
  return nullptr;
}

MbufBulks::Bulk MbufBulks::complete(Count& count) {
  count.back = 0;
  if (out_ > most_out_ || count.size > allowed_) {
    out_ -= count.size;
    kept_.push_back(static_cast<uint32_t>(&count - counts_.data()));
    return {nullptr, 0};
  }
  allowed_ -= count.size;
  return {&mbufs_[count.first], count.size};
}

MbufBulks::Bulk MbufBulks::next_kept() {
  if (kept_.empty()) return {nullptr, 0};
  const Count& count = counts_[kept_.back()];
  if (out_ + count.size > most_out_ || count.size > allowed_) return {nullptr, 0};
  kept_.pop_back();
  out_ += count.size;
  allowed_ -= count.size;
  return {&mbufs_[count.first], count.size};
}

}  // namespace dpcap
