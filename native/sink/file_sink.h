// A sink that writes records to a file, a pipe or a device, or to files that follow one another.
//
// A writer thread does the writing, so that a slow disk or reader never stalls the drain thread. Where nothing can
// stall (memory) and there is only one CPU, the two threads would only take it from each other. There the drain thread
// writes by itself: its blocks are still in the cache, and large packets are written from where they lie.
//
// The drain thread decides between which two records one file ends and the next begins, because it alone sees records.
// The block with the last of them says so, and the writer thread changes files when it comes to that block.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/thread.h"
#include "sink/compress/compression.h"
#include "sink/disk/disk_room.h"
#include "sink/output_file.h"
#include "sink/overflow.h"
#include "sink/rotation/file_series.h"
#include "sink/rotation/rotation.h"
#include "sink/sink.h"
#include "sink/writer_thread.h"

namespace dpcap {

// What a sink needs for files that follow one another.
struct FileRotation {
  RotationLimits limits;
  size_t lanes;
  FileSupply* supply;
  // Drain thread: returns the trailer of a file that ends now, from the packets of each lane in it.
  std::function<std::vector<uint8_t>(const std::vector<uint64_t>& packets_by_lane)> trailer;
  Notify on_last;  // the last file that is wanted has ended
};

// How much of the disk has to stay free, bytes, and who is told when it does not, by the thread that writes.
struct MinFree {
  uint64_t bytes;
  Notify on_low;
};

struct FileSinkOptions {
  FileFormat format;
  uint64_t byte_limit;  // of the file; 0: no limit
  std::vector<uint8_t> header;
  Priority priority;  // with high priority, the writer thread of a disk goes before others: see Drain::start()
  std::optional<FileRotation> rotation{};  // then there is no byte_limit
  // When a round's packets are handed on: as soon as the writer thread has nothing else to do, or within 20 ms.
  enum class Hurry { none, each_round } hurry = Hurry::none;
  Compression compression{};
  // Given: records are lost while all blocks are on their way, and this is called by the drain thread. Else they wait,
  // and with them the drain thread.
  std::function<void(uint32_t packets)> on_overflow{};
  std::optional<MinFree> min_free{};
};

class FileSink : public RecordSink {
 public:
  // Takes `fd` over; it is closed by finish(). The header is written at once.
  FileSink(int fd, FileSinkOptions options, SinkCounters& counters);
  ~FileSink() override { finish({}); }

  void enter() override;
  Room reserve(size_t at_least) override;
  void commit(const RecordSpan& span) override;
  void put(const RecordSpan& span) override;
  bool wants_in_place(size_t bytes, uint32_t records) const override;
  void write_in_place(iovec* records, uint32_t count, size_t size, uint16_t lane) override;
  void write_span(const RecordSpan& span) override;
  void tick(uint64_t now_ns, uint64_t) override;
  void flush() override;
  void request_flush() override { is_flush_wanted_.store(true, std::memory_order_relaxed); }
  void give_up_on_stalls() override { files_.give_up_on_stalls(); }
  void finish(const std::vector<uint8_t>& trailer) override;
  bool is_full() const override;
  bool is_behind() const override { return writer_.is_behind(); }
  bool has_sent_all() const override { return (block_ == nullptr || block_->used == 0) && writer_.is_idle(); }

 private:
  static constexpr size_t kBlocks = 32;            // the most memory that a stalled disk may take, in blocks
  static constexpr size_t kWarmGoal = 256 * 1024;  // bytes of a block that is written while it is in the cache

  void begin_writing();
  void write(const Blocks& blocks, size_t on_the_way);
  void write_to_file(const Blocks& blocks, size_t on_the_way);
  void before_writing(size_t bytes);
  bool has_block();
  void record(size_t lane, uint32_t packets, size_t bytes);
  void end_file();
  size_t enough() const { return writes_here() ? kWarmGoal : Block::kBytes; }
  bool writes_here() const { return here_ && is_file_begun_ && writer_.is_idle(); }

  const FileSinkOptions options_;
  FileSeries files_;
  // Used by the thread that writes.
  std::optional<DiskRoom> room_;
  int own_nice_ = 0;
  int writer_nice_ = 0;

  WriterThread writer_;
  bool finished_ = false;
  std::atomic<bool> is_flush_wanted_{false};

  // Used by the drain thread.
  const uint64_t flush_ns_;
  std::optional<Rotation> rotation_;
  std::optional<Overflow> overflow_;  // where records are lost rather than waited for
  Block* block_ = nullptr;            // that is being filled
  uint64_t flushed_at_ns_ = 0;
  bool flushed_ = false;     // since the last tick
  uint64_t recorded_bytes_;  // of the present file
  bool here_ = false;        // the drain thread writes once the writer thread is idle
  // The writer thread has been given what begins the present file: it alone changes files.
  bool is_file_begun_ = true;
};

}  // namespace dpcap
