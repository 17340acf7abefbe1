#include "capture/record_queue.h"

#include <ctime>

namespace dpcap {

RecordQueue::RecordQueue(const FileOptions& options, CopyMode mode, SinkCounters& counters)
    : Sink(counters), encoder_(options, mode), blocks_(kBlocks), spans_(kSpans) {}

uint32_t RecordQueue::put(const Burst& burst) {
  uint32_t taken = 0;
  while (taken < burst.count) {
    Block& block = blocks_[filling_];
    const size_t before = block.used;
    const uint32_t records = encoder_.fill(burst, taken, Block::kBytes, block);
    if (records == 0) {
      begin_next_block();
      continue;
    }
    taken += records;
    publish({block.bytes + before, static_cast<uint32_t>(block.used - before), records,
             static_cast<uint16_t>(burst.lane.index), burst.steps_ns});
  }
  return taken;
}

void RecordQueue::begin_next_block() {
  ends_at_[filling_] = published_.load(std::memory_order_relaxed);
  filling_ = (filling_ + 1) % kBlocks;
  wait_until([&] { return taken_.load(std::memory_order_acquire) >= ends_at_[filling_]; });
  blocks_[filling_].clear();
}

void RecordQueue::publish(const RecordSpan& span) {
  const uint64_t number = published_.load(std::memory_order_relaxed);
  wait_until([&] { return number - taken_.load(std::memory_order_acquire) < kSpans; });
  spans_[number % kSpans] = span;
  published_.store(number + 1, std::memory_order_release);
}

template <typename Condition>
void RecordQueue::wait_until(Condition is_true) const {
  constexpr timespec kLook = {0, 50'000};
  while (!is_true()) nanosleep(&kLook, nullptr);
}

const RecordSpan* RecordQueue::next() const {
  const uint64_t number = taken_.load(std::memory_order_relaxed);
  if (published_.load(std::memory_order_acquire) == number) return nullptr;
  return &spans_[number % kSpans];
}

void RecordQueue::taken() { taken_.store(taken_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

}  // namespace dpcap
