#include "core/portions.h"

#include <algorithm>

namespace dpcap {
namespace {

constexpr uintptr_t kLargeGap = 1 << 20;
constexpr uint32_t kNone = UINT32_MAX;

uintptr_t address_of(const void* mbuf) { return reinterpret_cast<uintptr_t>(mbuf); }

}  // namespace

Portions::Portion Portions::add(std::vector<void*> mbufs) {
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
  return {mbufs_.data() + old, static_cast<uint32_t>(mbufs.size())};
}

// Of mbufs_, sorted; `old`: how many there were before.
void Portions::add_range(size_t begin, size_t end, size_t old) {
  uintptr_t nearest = kLargeGap;
  for (size_t i = begin + 1; i < end; i++) {
    nearest = std::min(nearest, address_of(mbufs_[i]) - address_of(mbufs_[i - 1]));
  }
  Range range{address_of(mbufs_[begin]), address_of(mbufs_[end - 1]), 0, {}};
  while (uintptr_t{2} << range.shift <= nearest) range.shift++;
  range.portions.assign(((range.last - range.first) >> range.shift) + 1, kNone);
  for (size_t i = begin; i < end; i++) {
    if ((i - old) % size_ == 0) {
      const auto size = static_cast<uint32_t>(std::min<size_t>(size_, mbufs_.size() - i));
      counts_.push_back({static_cast<uint32_t>(i), size, 0});
    }
    range.portions[(address_of(mbufs_[i]) - range.first) >> range.shift] = static_cast<uint32_t>(counts_.size() - 1);
  }
  ranges_.push_back(std::move(range));
}

// Begins with the range of the one before. A range may lie in a gap of another.
Portions::Count* Portions::count_of(uintptr_t address) {
  for (size_t tried = 0; tried < ranges_.size(); tried++) {
    const Range& range = ranges_[last_found_];
    if (address >= range.first && address <= range.last) {
      const uint32_t number = range.portions[(address - range.first) >> range.shift];
      if (number != kNone) return &counts_[number];
    }
    last_found_ = (last_found_ + 1) % ranges_.size();
  }
  return nullptr;
}

Portions::Portion Portions::came_back(const void* mbuf) {
  Count* count = count_of(address_of(mbuf));
  if (count == nullptr || ++count->back < count->size) return {nullptr, 0};
  count->back = 0;
  return {&mbufs_[count->first], count->size};
}

}  // namespace dpcap
