// Writes blocks of records to a file, a pipe or a terminal-like device from a thread of its own, so that a slow disk or
// reader never stalls the drain thread while there are free blocks.
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

class BlockWriter {
 public:
  static constexpr size_t kBlockBytes = 1 << 20;
  static constexpr size_t kBlocks = 32;  // what a stalled disk may cost in memory before the drain has to wait

  // Takes `fd` over; it is closed by finish(). `header` is written at once. `lanes`: how many there are.
  BlockWriter(int fd, FileFormat format, std::vector<uint8_t> header, size_t lanes);
  ~BlockWriter();
  BlockWriter(const BlockWriter&) = delete;
  BlockWriter& operator=(const BlockWriter&) = delete;

  // An empty block; waits for one when all are on their way to the sink.
  Block* acquire();
  void submit(Block* block);
  // Writes what was submitted, then `trailer` (unless writing failed), and closes the file. Idempotent.
  void finish(const std::vector<uint8_t>& trailer);
  // A reader that does not read is waited for no longer than this after finish() or give_up() was called.
  static constexpr int kStalledReaderMs = 2000;

  // errno of the first failed write, 0 while all is well. EPIPE: the reader went away.
  int failure() const { return failure_.load(); }
  uint64_t bytes_written() const { return bytes_written_.load(); }
  // Records of this lane that were submitted and did not reach the file.
  uint64_t lost(size_t lane) const { return lost_[lane].load(); }
  // From now on a stalled pipe is not waited for longer than kStalledReaderMs. Any thread.
  void give_up_on_stalls();

 private:
  void run();
  bool write_all(const uint8_t* bytes, size_t size, size_t* done);
  bool wait_writable();
  void reader_gone_check();
  void write_block(const Block& block);
  void count_lost(const Block& block, size_t from_byte);
  void fail(int err);

  int fd_;
  const FileFormat format_;
  const std::vector<uint8_t> header_;
  std::vector<uint8_t> trailer_;
  const bool is_pipe_;
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
