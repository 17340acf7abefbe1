#include "recorder/box_snapshot.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

#include "base/error.h"

namespace dpcap {
namespace {

// How many segments hold packets from this time on. Some more may be filled until they are copied.
size_t count_since(const BoxFacts& facts, uint64_t since_ns) {
  const auto is_wanted = [&](const BoxSegment& segment) { return segment.last_ns >= since_ns; };
  const auto wanted = std::count_if(facts.segments.begin(), facts.segments.end(), is_wanted);
  return std::min<size_t>(facts.header.segments, static_cast<size_t>(wanted) + facts.lanes.size() + 1);
}

// Memory that the machine's programs would not miss; all of it when that is not told.
uint64_t available_bytes() {
  std::ifstream file("/proc/meminfo");
  std::string word;
  uint64_t kilobytes = 0;
  while (file >> word) {
    if (word == "MemAvailable:" && file >> kilobytes) return kilobytes * 1024;
  }
  return UINT64_MAX;
}

// All of it is touched: a page that has to be found first would hold up the copy. Half of what is free stays free, or
// the kernel might end the application for want of memory.
uint8_t* make_memory(size_t size) {
  if (size > available_bytes() / 2) {
    throw Error(
        "ERR_NO_MEMORY",
        "the machine has no memory to spare for a copy of " + std::to_string(size >> 20) + " MiB of the recorder's",
        ENOMEM);
  }
  void* const made =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_NORESERVE, -1, 0);
  if (made != MAP_FAILED) return static_cast<uint8_t*>(made);
  throw Error(
      "ERR_NO_MEMORY",
      "there is no memory for a copy of " + std::to_string(size >> 20) + " MiB of the recorder's: " + strerror(errno),
      errno);
}

}  // namespace

BoxSnapshot::BoxSnapshot(int fd, uint64_t since_ns) {
  facts_ = read_box(fd);
  const size_t segment_bytes = facts_.header.segment_bytes;
  size_ = count_since(facts_, since_ns) * segment_bytes;
  if (size_ == 0) return;
  memory_ = make_memory(size_);
  facts_ = read_box(fd);
  // Whoever may write to the box may have changed its head meanwhile.
  if (facts_.header.segment_bytes != segment_bytes)
    throw Error("ERR_RECORDER_FILE", "the black box changes while it is read: it is no recorder's", EINVAL);
  std::vector<BoxSegment> wanted;
  for (const BoxSegment& segment : facts_.segments) {
    if (segment.last_ns >= since_ns) wanted.push_back(segment);
  }
  const size_t room = size_ / segment_bytes;
  if (wanted.size() > room) wanted.erase(wanted.begin(), wanted.end() - static_cast<ptrdiff_t>(room));
  uint8_t* out = memory_;
  for (const BoxSegment& segment : wanted) {
    const uint64_t offset = facts_.header.data_offset + uint64_t{segment.index} * segment_bytes;
    const bool is_whole = read_at(fd, out, segment.used, offset) == segment.used && is_unchanged(fd, facts_, segment);
    damage_.overwritten += !is_whole;
    if (!is_whole) continue;
    copies_.push_back({segment, out});
    out += segment_bytes;
  }
}

BoxSnapshot::~BoxSnapshot() {
  if (memory_ != nullptr) munmap(memory_, size_);
}

}  // namespace dpcap
