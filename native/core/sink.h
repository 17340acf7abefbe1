// Where packets end: blocks of records on their way through a thread of their own, so that a slow disk, reader or
// interface never stalls the drain thread while there are free blocks.
//
// Threads: acquire, submit, finish on the drain thread; the rest of the work on "dpcap-writer". Counters are read by
// any.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/record.h"

namespace dpcap {

// A stretch of whole records. `lanes` has the lane of each, so that records which could not be written are counted
// where they belong.
struct Block {
  std::unique_ptr<uint8_t[]> bytes;
  size_t used = 0;
  std::vector<uint16_t> lanes;
};

class Sink {
 public:
  static constexpr size_t kBlockBytes = 1 << 20;
  // A reader that does not read is waited for no longer than this after finish() or give_up_on_stalls() was called.
  static constexpr int kStalledReaderMs = 2000;

  virtual ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  // An empty block; waits for one when all are on their way.
  Block* acquire();
  void submit(Block* block);
  // Writes what was submitted, then `trailer` (unless writing failed), and closes. Idempotent.
  void finish(const std::vector<uint8_t>& trailer);
  // From now on a stalled reader is not waited for longer than kStalledReaderMs. Any thread.
  void give_up_on_stalls();

  // Bytes from which on a block is worth submitting. Any block has room for kBlockBytes.
  size_t block_goal() const { return block_goal_; }
  // errno of what ended writing, 0 while all is well. EPIPE: the reader went away.
  int failure() const { return failure_.load(); }
  uint64_t bytes_written() const { return bytes_written_.load(); }
  // Records of this lane that were submitted and did not get through.
  uint64_t lost(size_t lane) const { return lost_[lane].load(); }

 protected:
  // `blocks`: how much may be on its way before the drain thread has to wait. `lanes`: how many there are.
  // `block_goal`: see block_goal().
  Sink(FileFormat format, size_t blocks, size_t lanes, size_t block_goal = kBlockBytes);
  // To be called last in a constructor, and stop() first in a destructor: the thread calls the functions below.
  void start();
  void stop() { finish({}); }

  // On the thread "dpcap-writer".
  virtual void open() = 0;
  virtual void write_block(const Block& block) = 0;
  virtual void idle() = 0;  // every kIdleMs while there is nothing to write
  virtual void close(const std::vector<uint8_t>& trailer) = 0;

  static constexpr int kIdleMs = 100;
  void fail(int err);
  bool is_past_stall_deadline() const;
  // Counts the records of a block from this byte on as lost.
  void count_lost(const Block& block, size_t from_byte);
  void count_lost_record(uint16_t lane) { lost_[lane]++; }
  void add_written(int64_t bytes) { bytes_written_ += static_cast<uint64_t>(bytes); }
  FileFormat format() const { return format_; }

 private:
  void run();

  const FileFormat format_;
  const size_t block_goal_;
  std::vector<uint8_t> trailer_;
  std::vector<Block> blocks_;
  std::deque<Block*> free_;
  std::deque<Block*> full_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool closing_ = false;
  std::atomic<int64_t> stall_deadline_ms_{0};  // CLOCK_MONOTONIC; 0: none
  std::atomic<int> failure_{0};
  std::atomic<uint64_t> bytes_written_{0};
  std::unique_ptr<std::atomic<uint64_t>[]> lost_;
  std::thread thread_;
};

}  // namespace dpcap
