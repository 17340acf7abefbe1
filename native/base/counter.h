// A counter that one thread increments and any thread may read.
#pragma once
#include <atomic>
#include <cstdint>

namespace dpcap {

// Has one writer and any number of readers, so add() needs no locked instruction, which would cost more than the rest
// of a packet's accounting. Whoever reads a count also sees what the writer did before it: release and acquire, which
// are plain instructions on x86.
class Counter {
 public:
  void add(uint64_t n) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_release); }
  operator uint64_t() const { return value_.load(std::memory_order_acquire); }

 private:
  std::atomic<uint64_t> value_{0};
};

}  // namespace dpcap
