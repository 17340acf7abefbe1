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
#include "sink/compress/block_file.h"
#include "sink/disk/direct_io.h"
#include "sink/sink.h"

namespace dpcap {

class OutputFile : public BlockFile {
 public:
  // A reader that does not read is waited for no longer than this after give_up_on_stalls().
  static constexpr int kStalledReaderMs = 2000;

  // Takes `fd` over, and closes it in close(). `counters` is told what happens.
  OutputFile(int fd, FileFormat format, SinkCounters& counters);

  void write_or_take_back(const std::vector<uint8_t>& bytes) override;
  void write_blocks(const Blocks& blocks, Backlog backlog) override;
  size_t at_once() const override { return direct_ ? kAtOnce : 1; }
  // Counts all records of a block as lost.
  void lose(const Block& block) { whole_records(block, 0); }
  static constexpr uint32_t kMostRecords = RecordSink::kMostInPlace;
  // Does the same for up to kMostRecords records that lie scattered, each in one piece. Changes `records`.
  void write_records(iovec* records, uint32_t count, uint16_t lane);
  // The same for records that lie one behind the other in memory that may be another process's: their sizes are input.
  void write_span(const RecordSpan& span);
  bool has_reader() const override { return !is_file_; }
  void look_at_reader() override;
  void close() override;

  void give_up_on_stalls() override;
  // The file is in memory, or /dev/null: writing to it takes CPU time, but never waits for a device or a reader.
  bool is_in_memory() const { return is_in_memory_; }
  bool is_direct() const override { return direct_ && direct_->was_taken(); }

 private:
  static constexpr size_t kAtOnce = 4;  // a disk takes several megabytes faster than one; memory and pipes do not

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
