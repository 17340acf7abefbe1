#include "sink/file_sink.h"

#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/thread.h"

namespace dpcap {
namespace {

constexpr int kDiskNice = -19;      // goes before the drain thread: while it waits for a CPU, the disk waits for it
constexpr uint64_t kFlushMs = 20;   // a reader sees a lone packet at once, packets of a stream within this time
constexpr uint32_t kInPlace = 400;  // bytes; from this size on, writing a packet in place beats copying it
// About so many bytes go with one write in place: what was prefetched must still be in the cache when the kernel comes
// to it (bench/RESULTS.md).
constexpr size_t kInPlaceBytes = 24 * 1024;

uint64_t ticks(uint64_t ms) { return rte_get_tsc_hz() / 1000 * ms; }

}  // namespace

FileSink::FileSink(int fd, FileSinkOptions options, SinkCounters& counters)
    : Sink(counters),
      options_(std::move(options)),
      encoder_(options_.file, options_.mode),
      file_(fd, options_.file.format, counters_),
      writer_(
          kBlocks, file_.may_be_direct() ? kAtOnce : 1,
          {[this] { begin_writing(); }, [this](const Blocks& blocks, size_t on_the_way) { write(blocks, on_the_way); },
           file_.has_reader() ? std::function<void()>([this] { file_.look_at_reader(); }) : nullptr}),
      recorded_bytes_(options_.header.size()) {}

void FileSink::begin_writing() {
  own_nice_ = writer_nice_ = getpriority(PRIO_PROCESS, 0);
  file_.write_or_take_back(options_.header);
}

void FileSink::write(const Blocks& blocks, size_t on_the_way) {
  file_.write_blocks(blocks, on_the_way > kBlocks / 2);
  if (!options_.high_priority) return;
  const int wanted = file_.is_direct() ? kDiskNice : own_nice_;
  if (wanted != writer_nice_) set_nice(wanted);
  writer_nice_ = wanted;
}

void FileSink::enter() { here_ = file_.is_in_memory() && own_cpus() == 1; }

bool FileSink::is_full() const { return options_.byte_limit != 0 && recorded_bytes_ >= options_.byte_limit; }

uint32_t FileSink::put(const Burst& burst) {
  uint32_t taken = 0;
  while (taken < burst.count && !is_full()) taken += record(burst, taken);
  return taken;
}

uint32_t FileSink::record(const Burst& burst, uint32_t first) {
  const uint32_t size = std::min(burst.mbufs[first]->pkt_len, options_.file.snaplen);
  if (options_.byte_limit == 0 && size >= kInPlace && writes_here()) {
    if (const uint32_t written = write_in_place(burst, first)) return written;
  }
  Block& to = block();
  const size_t before = to.used;
  size_t goal = enough();
  if (options_.byte_limit != 0) goal = std::min<uint64_t>(goal, before + (options_.byte_limit - recorded_bytes_));
  const uint32_t recorded = encoder_.fill(burst, first, goal, to);
  recorded_bytes_ += to.used - before;
  if (recorded < burst.count - first) flush();
  return recorded;
}

void FileSink::put_records(const uint8_t* records, size_t size, Block::LaneRecords share) {
  if (Block::kBytes - block().used < size) flush();
  Block& to = block();
  memcpy(to.bytes + to.used, records, size);
  to.used += size;
  to.add_share(share.lane, share.records);
  recorded_bytes_ += size;
  if (to.used >= enough()) flush();
}

// The block that is being filled.
Block& FileSink::block() {
  if (block_ == nullptr) {
    block_ = writer_.acquire();
    block_->begin_at(recorded_bytes_);
  }
  return *block_;
}

// The kernel copies byte by byte, and waits for each cache line that another core has. Prefetched, they all come at
// once.
void prefetch_all(const iovec& record) {
  const auto* bytes = static_cast<const uint8_t*>(record.iov_base);
  for (size_t at = 0; at < record.iov_len; at += RTE_CACHE_LINE_SIZE) rte_prefetch1(bytes + at);
}

// Returns the number of packets that were written.
uint32_t FileSink::write_in_place(const Burst& burst, uint32_t first) {
  iovec records[OutputFile::kMostRecords];
  uint32_t count = 0;
  size_t bytes = 0;
  const uint32_t most = std::min(burst.count - first, OutputFile::kMostRecords);
  while (count < most && bytes < kInPlaceBytes && encoder_.wrap(burst, first + count, &records[count])) {
    bytes += records[count].iov_len;
    prefetch_all(records[count++]);
  }
  if (count == 0) return 0;
  flush();  // what came before goes first
  recorded_bytes_ += bytes;
  file_.write_records(records, count, static_cast<uint16_t>(burst.lane.index));
  return count;
}

void FileSink::flush() {
  if (block_ == nullptr || block_->used == 0) return;
  flushed_ = true;
  if (writes_here()) {
    file_.write_blocks({block_}, false);
    block_->clear();
  } else {
    writer_.submit(block_);
    block_ = nullptr;
  }
}

void FileSink::tick(uint64_t now_tsc, uint64_t) {
  if (!flushed_ && now_tsc - flushed_at_ > ticks(kFlushMs)) flush();
  if (std::exchange(flushed_, false)) flushed_at_ = now_tsc;
}

void FileSink::finish(const std::vector<uint8_t>& trailer) {
  if (finished_) return;
  finished_ = true;
  flush();
  file_.give_up_on_stalls();
  writer_.stop();
  if (counters_.failure() == 0) file_.write_or_take_back(trailer);
  file_.close();
}

}  // namespace dpcap
