#include "capture/record_queue.h"

#include <ctime>

namespace dpcap {

Strand::Strand(const FileOptions& options, CopyMode mode, SinkFigures& figures)
    : Sink(figures), recorder_(options, mode), blocks_(kBlocks), stretches_(kStretches) {}

uint32_t Strand::put(const Run& run) {
  uint32_t taken = 0;
  while (taken < run.count) {
    Block& block = blocks_[filling_];
    const size_t before = block.used;
    const uint32_t records = recorder_.fill(run, taken, Block::kBytes, block);
    if (records == 0) {
      begin_next_block();
      continue;
    }
    taken += records;
    publish({block.bytes + before, static_cast<uint32_t>(block.used - before), records,
             static_cast<uint16_t>(run.lane.index), run.steps_ns});
  }
  return taken;
}

void Strand::begin_next_block() {
  ends_at_[filling_] = published_.load(std::memory_order_relaxed);
  filling_ = (filling_ + 1) % kBlocks;
  wait_until([&] { return taken_.load(std::memory_order_acquire) >= ends_at_[filling_]; });
  blocks_[filling_].clear();
}

void Strand::publish(const Stretch& stretch) {
  const uint64_t number = published_.load(std::memory_order_relaxed);
  wait_until([&] { return number - taken_.load(std::memory_order_acquire) < kStretches; });
  stretches_[number % kStretches] = stretch;
  published_.store(number + 1, std::memory_order_release);
}

template <typename Condition>
void Strand::wait_until(Condition is_true) const {
  constexpr timespec kLook = {0, 50'000};
  while (!is_true()) nanosleep(&kLook, nullptr);
}

const Stretch* Strand::next() const {
  const uint64_t number = taken_.load(std::memory_order_relaxed);
  if (published_.load(std::memory_order_acquire) == number) return nullptr;
  return &stretches_[number % kStretches];
}

void Strand::taken() { taken_.store(taken_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

}  // namespace dpcap
