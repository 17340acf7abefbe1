// Hands blocks from the drain thread to the writer thread, without a lock between the two: a writer thread that was
// interrupted never holds the drain thread up while there are free blocks.
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
  // What the thread "dpcap-writer" calls: open() once, then write() for the blocks that are there, `at_once` at most,
  // with the number of blocks that are on their way. While there is none, it calls idle() every kIdleMs, if idle is
  // given.
  struct Writer {
    std::function<void()> open;
    std::function<void(const Blocks&, size_t on_the_way)> write;
    std::function<void()> idle;
  };
  static constexpr int kIdleMs = 100;

  // `blocks`: how many may be on their way before the drain thread has to wait. `at_once`: see Writer.
  WriterThread(size_t blocks, size_t at_once, Writer writer);
  ~WriterThread() { stop(); }
  WriterThread(const WriterThread&) = delete;
  WriterThread& operator=(const WriterThread&) = delete;

  // Drain thread: returns an empty block, and waits for one when all are on their way.
  Block* acquire();
  // Drain thread: the same without waiting; nullptr when all are on their way.
  Block* acquire_free() { return take_free(); }
  // Drain thread: hands a block to the writer thread. It becomes free again by itself.
  void submit(Block* block);
  // Drain thread: no block is on its way, and none is being written.
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

  // Submitted blocks: a circular buffer with room for all of them, one writer, one reader.
  Blocks full_;
  size_t first_ = 0;                   // used by the writer thread
  size_t last_ = 0;                    // used by the drain thread
  sem_t submitted_;                    // counts submitted blocks; posted once more to end the thread
  std::atomic<size_t> on_the_way_{1};  // begins with 1, for open()

  // Free blocks: a stack, so that the one that is warmest in the cache is used next. Only the drain thread takes
  // blocks, so a block cannot come back while it is being taken.
  std::atomic<Block*> free_{nullptr};
  std::atomic<size_t> free_count_{0};
  std::atomic<bool> is_waited_for_{false};
  sem_t freed_;

  std::atomic<bool> closing_{false};
  std::thread thread_;
};

}  // namespace dpcap
