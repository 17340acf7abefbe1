#include "sink/record_queue.h"

#include <ctime>

namespace dpcap {

RecordQueue::RecordQueue(SinkCounters& counters) : RecordSink(counters), blocks_(kBlocks), spans_(kSpans) {}

Room RecordQueue::reserve(size_t at_least) {
  if (blocks_[filling_].used + at_least > Block::kBytes) begin_next_block();
  const Block& block = blocks_[filling_];
  const size_t left = Block::kBytes - block.used;
  return {block.bytes + block.used, left, left};
}

void RecordQueue::commit(const RecordSpan& span) {
  blocks_[filling_].used += span.size;
  publish(span);
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
