#include "sink/file_sink.h"

#include <algorithm>
#include <utility>

namespace dpcap {
namespace {

constexpr int kDiskNice = -19;  // goes before the drain thread: while it waits for a CPU, the disk waits for it
// A reader sees a lone packet at once, packets of a stream within this time.
constexpr uint64_t kFlushNs = 20'000'000;

}  // namespace

FileSink::FileSink(int fd, FileSinkOptions options, SinkCounters& counters)
    : RecordSink(counters),
      options_(std::move(options)),
      file_(fd, options_.format, counters_),
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
  file_.write_blocks(blocks, on_the_way > kBlocks / 2 ? Backlog::large : Backlog::small);
  if (options_.priority == Priority::normal) return;
  const int wanted = file_.is_direct() ? kDiskNice : own_nice_;
  if (wanted != writer_nice_) set_nice(wanted);
  writer_nice_ = wanted;
}

void FileSink::enter() { here_ = file_.is_in_memory() && own_cpus() == 1; }

bool FileSink::is_full() const { return options_.byte_limit != 0 && recorded_bytes_ >= options_.byte_limit; }

Room FileSink::reserve(size_t at_least) {
  const size_t enough_now = enough();  // it becomes less when the writer thread is idle
  if (block().used + at_least > Block::kBytes || block().used >= enough_now) flush();
  Block& to = block();
  size_t goal = enough_now - to.used;
  if (options_.byte_limit != 0) goal = std::min<uint64_t>(goal, options_.byte_limit - recorded_bytes_);
  return {to.bytes + to.used, Block::kBytes - to.used, goal};
}

void FileSink::commit(const RecordSpan& span) {
  Block& to = block();
  to.used += span.size;
  to.add_share(span.lane, span.records);
  recorded_bytes_ += span.size;
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

void FileSink::write_in_place(iovec* records, uint32_t count, size_t size, uint16_t lane) {
  flush();  // what came before goes first
  recorded_bytes_ += size;
  file_.write_records(records, count, lane);
}

void FileSink::write_span(const RecordSpan& span) {
  flush();  // what came before goes first
  recorded_bytes_ += span.size;
  file_.write_span(span);
}

void FileSink::flush() {
  if (block_ == nullptr || block_->used == 0) return;
  flushed_ = true;
  if (writes_here()) {
    file_.write_blocks({block_}, Backlog::small);
    block_->clear();
  } else {
    writer_.submit(block_);
    block_ = nullptr;
  }
}

void FileSink::tick(uint64_t now_ns, uint64_t) {
  if (!flushed_ && now_ns - flushed_at_ns_ > kFlushNs) flush();
  if (std::exchange(flushed_, false)) flushed_at_ns_ = now_ns;
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
