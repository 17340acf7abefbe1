// Blocks on their way from the drain thread to a thread that writes them, without a lock between the two: a writer that
// was interrupted never holds the drain thread up while there are free blocks.
#pragma once
#include <semaphore.h>

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "record/block.h"

namespace dpcap {

class WriterThread {
 public:
  // What the thread "dpcap-writer" calls: open() once, then write() for the blocks that are there, `at_once` at
  // most, with the number of those that are on their way. While there is none, idle() every kIdleMs, if it is given.
  struct Writer {
    std::function<void()> open;
    std::function<void(const Blocks&, size_t on_the_way)> write;
    std::function<void()> idle;
  };
  static constexpr int kIdleMs = 100;

  // `blocks`: how much may be on its way before the drain thread has to wait. `at_once`: see Writer.
  WriterThread(size_t blocks, size_t at_once, Writer writer);
  ~WriterThread() { stop(); }
  WriterThread(const WriterThread&) = delete;
  WriterThread& operator=(const WriterThread&) = delete;

  // Drain thread: an empty block; waits for one when all are on their way.
  Block* acquire();
  // Drain thread. The block comes back by itself.
  void submit(Block* block);
  // Drain thread: nothing is on its way, and nothing is being written.
  bool is_idle() const { return on_the_way_.load(std::memory_order_acquire) == 0; }
  // More than half of the blocks are on their way.
  bool is_behind() const { return on_the_way_.load(std::memory_order_relaxed) > full_.size() / 2; }
  // Writes what was submitted and ends the thread. Idempotent.
  void stop();

 private:
  void run();
  void take_submitted(Blocks* blocks);
  void give_back(Block* block);
  Block* take_free();

  const size_t at_once_;
  const Writer writer_;
  BlockArena blocks_;

  // Submitted blocks: a circle with room for all of them, one writer, one reader.
  Blocks full_;
  size_t first_ = 0;                   // writer thread
  size_t last_ = 0;                    // drain thread
  sem_t submitted_;                    // counts them; posted once more to end the thread
  std::atomic<size_t> on_the_way_{1};  // 1: open()

  // Free blocks: a stack, of which the warmest in the cache is used next. Only the drain thread takes, so a block
  // cannot come back while it is being taken.
  std::atomic<Block*> free_{nullptr};
  std::atomic<size_t> free_count_{0};
  std::atomic<bool> is_waited_for_{false};
  sem_t freed_;

  std::atomic<bool> closing_{false};
  std::thread thread_;
};

}  // namespace dpcap
