// A sink that writes pcap or pcapng to a file, a pipe or a device.
//
// A thread of its own does the writing, so that a slow disk or reader never stalls the drain thread. Where nothing can
// stall (memory) and there is one CPU, which the two would only take from each other, the drain thread writes by
// itself: its blocks are still in the cache then, and large packets are written from where they lie.
#pragma once
#include <cstdint>
#include <vector>

#include "pdump/reader/encoder.h"
#include "sink/output_file.h"
#include "sink/sink.h"
#include "sink/writer_thread.h"

namespace dpcap {

struct FileSinkOptions {
  FileOptions file;
  CopyMode mode;
  uint64_t byte_limit;  // of the file; 0: none
  std::vector<uint8_t> header;
  bool high_priority;  // the writer of a disk: see Drain::start()
};

class FileSink : public Sink {
 public:
  // Takes `fd` over; it is closed by finish(). The header is written at once.
  FileSink(int fd, FileSinkOptions options, SinkCounters& counters);
  ~FileSink() override { finish({}); }

  void enter() override;
  uint32_t put(const Burst& burst) override;
  // Records that are made already: whole ones, of `share`, and no more than fit into a block.
  void put_records(const uint8_t* records, size_t size, Block::LaneRecords share);
  void tick(uint64_t now_tsc, uint64_t) override;
  void flush() override;
  void give_up_on_stalls() override { file_.give_up_on_stalls(); }
  void finish(const std::vector<uint8_t>& trailer) override;
  bool is_full() const override;
  bool is_behind() const override { return writer_.is_behind(); }

 private:
  static constexpr size_t kBlocks = 32;            // what a stalled disk may cost in memory
  static constexpr size_t kWarmGoal = 256 * 1024;  // bytes of a block that is written while it is in the cache
  static constexpr size_t kAtOnce = 4;  // a disk takes several megabytes faster than one; memory and pipes do not

  void begin_writing();
  void write(const Blocks& blocks, size_t on_the_way);
  uint32_t record(const Burst& burst, uint32_t first);
  Block& block();
  size_t enough() const { return writes_here() ? kWarmGoal : Block::kBytes; }
  uint32_t write_in_place(const Burst& burst, uint32_t first);
  bool writes_here() const { return here_ && writer_.is_idle(); }

  const FileSinkOptions options_;
  const Encoder encoder_;
  OutputFile file_;
  // Writer thread.
  int own_nice_ = 0;
  int writer_nice_ = 0;

  WriterThread writer_;
  bool finished_ = false;

  // Drain thread.
  Block* block_ = nullptr;
  uint64_t flushed_at_ = 0;
  bool flushed_ = false;  // since the last tick
  uint64_t recorded_bytes_;
  bool here_ = false;  // the drain thread writes
};

}  // namespace dpcap
