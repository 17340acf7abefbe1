// The records of one of several drain threads, on their way to the merge thread, which joins them into one file (see
// MergeThread). There is no lock between the two.
#pragma once
#include <atomic>
#include <cstdint>
#include <vector>

#include "record/block.h"
#include "sink/sink.h"

namespace dpcap {

class RecordQueue : public RecordSink {
 public:
  explicit RecordQueue(SinkCounters& counters);

  Room reserve(size_t at_least) override;
  void commit(const RecordSpan& span) override;
  // `complete_ns` may fall when a packet is held back: the earlier, greater value still holds.
  void tick(uint64_t, uint64_t complete_ns) override {
    if (complete_ns > complete_ns_.load(std::memory_order_relaxed)) {
      complete_ns_.store(complete_ns, std::memory_order_release);
    }
  }
  void leave() override { tick(0, UINT64_MAX); }
  void finish(const std::vector<uint8_t>&) override {}

  // Merge thread. Asked before next(): every packet that arrived until that time (CLOCK_REALTIME without its steps) is
  // here, or has been.
  uint64_t complete_ns() const { return complete_ns_.load(std::memory_order_acquire); }
  // Merge thread: returns the next span, nullptr when there is none for now. It stays where it is until taken().
  const RecordSpan* next() const;
  void taken();

 private:
  static constexpr size_t kBlocks = 16;
  static constexpr size_t kSpans = 1 << 16;  // packets of several lanes may alternate one by one

  void begin_next_block();
  void publish(const RecordSpan& span);
  template <typename Condition>
  void wait_until(Condition is_true) const;

  // Used by the drain thread. The blocks are filled one after the other, and a span never leaves its block.
  BlockArena blocks_;
  size_t filling_ = 0;
  uint64_t ends_at_[kBlocks] = {};  // number of the span after the last one of each block

  // A circular buffer, one writer, one reader; the numbers only grow.
  std::vector<RecordSpan> spans_;
  std::atomic<uint64_t> published_{0};
  std::atomic<uint64_t> taken_{0};
  std::atomic<uint64_t> complete_ns_{0};
};

}  // namespace dpcap
