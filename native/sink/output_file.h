// The open file, pipe or socket that a capture is written to: it gets whole records, or none.
//
// One thread at a time, except for give_up_on_stalls().
#pragma once
#include <sys/types.h>
#include <sys/uio.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "record/block.h"
#include "record/pcap_format.h"
#include "sink/direct_io.h"
#include "sink/sink.h"

namespace dpcap {

class OutputFile {
 public:
  // A reader that does not read is waited for no longer than this after give_up_on_stalls().
  static constexpr int kStalledReaderMs = 2000;

  // Takes `fd` over, and closes it in close(). `counters` is told what happens.
  OutputFile(int fd, FileFormat format, SinkCounters& counters);

  // Writes a header or trailer. A torn one is worse than none, so it is taken back where that is possible.
  void write_or_take_back(const std::vector<uint8_t>& bytes);
  // Writes blocks, and counts records that do not get through as lost. Changes the memory in front of the blocks.
  void write_blocks(const Blocks& blocks, Backlog backlog);
  static constexpr uint32_t kMostRecords = RecordSink::kMostInPlace;
  // Does the same for up to kMostRecords records that lie scattered, each in one piece. Changes `records`.
  void write_records(iovec* records, uint32_t count, uint16_t lane);
  // The same for records that lie one behind the other in memory that may be another process's: their sizes are input.
  void write_span(const RecordSpan& span);
  bool has_reader() const { return !is_file_; }
  // Notices a reader that closed its end, without a packet to write.
  void look_at_reader();
  void close();

  // Any thread: from now on a stalled reader is not waited for longer than kStalledReaderMs.
  void give_up_on_stalls();
  // The file is in memory, or /dev/null: writing to it takes CPU time, but never waits for a device or a reader.
  bool is_in_memory() const { return is_in_memory_; }
  // Blocks may go past the page cache.
  bool may_be_direct() const { return direct_.has_value(); }
  // The last blocks went past the page cache: writing waits for the disk, and takes next to no CPU.
  bool is_direct() const { return direct_ && direct_->was_taken(); }

 private:
  bool write_all(iovec* pieces, size_t count, size_t* done);
  bool is_on_disk();
  size_t whole_records(const Block& block, size_t done);
  void keep_whole(off_t start, size_t done, size_t whole);
  off_t end_of_file() const;
  void wait_writable();
  bool is_past_stall_deadline() const;

  int fd_;
  const FileFormat format_;
  SinkCounters& counters_;
  const bool is_file_;
  const bool is_socket_;
  const bool is_in_memory_;
  std::optional<DirectIo> direct_;
  std::atomic<int64_t> stall_deadline_ms_{0};  // CLOCK_MONOTONIC; 0: none
};

}  // namespace dpcap
