#include "sink/file_sink.h"

#include <fcntl.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/fd.h"
#include "base/now.h"

namespace dpcap {
namespace {

constexpr int kDiskNice = -19;  // goes before the drain thread: while it waits for a CPU, the disk waits for it
// A reader sees a lone packet at once, packets of a stream within this time.
constexpr uint64_t kFlushNs = 20'000'000;
// Where it is compressed: frames of few packets are hardly smaller than these.
constexpr uint64_t kFlushCompressedNs = 1'000'000'000;

// The room of the disk that a file is on, also when the file has been closed. Where it is not told, the disk says so by
// what it does not take.
std::function<uint64_t()> room_of(int fd) {
  const auto own = std::make_shared<Descriptor>(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  return [own] {
    struct statvfs disk;
    return fstatvfs(own->get(), &disk) == 0 ? uint64_t{disk.f_bavail} * disk.f_frsize : UINT64_MAX;
  };
}

std::optional<DiskRoom> disk_room(int fd, const std::optional<MinFree>& min_free) {
  if (!min_free) return std::nullopt;
  return DiskRoom(min_free->bytes, room_of(fd), min_free->on_low);
}

Rotation::Moment moment_at(uint64_t steady_ns) { return {steady_ns, now_ns(CLOCK_REALTIME)}; }

}  // namespace

FileSink::FileSink(int fd, FileSinkOptions options, SinkCounters& counters)
    : RecordSink(counters),
      options_(std::move(options)),
      files_(fd, {options_.format, options_.header, options_.compression}, counters_,
             options_.rotation ? options_.rotation->supply : nullptr),
      room_(disk_room(fd, options_.min_free)),
      writer_(
          kBlocks, files_.last().at_once(),
          {[this] { begin_writing(); }, [this](const Blocks& blocks, size_t on_the_way) { write(blocks, on_the_way); },
           files_.last().has_reader() ? std::function<void()>([this] { files_.file().look_at_reader(); }) : nullptr}),
      flush_ns_(options_.compression.codec == Codec::none ? kFlushNs : kFlushCompressedNs),
      recorded_bytes_(options_.header.size()) {
  if (options_.rotation) rotation_.emplace(options_.rotation->limits, options_.rotation->lanes);
  if (options_.on_overflow) overflow_.emplace(options_.format, counters_);
}

void FileSink::begin_writing() {
  own_nice_ = writer_nice_ = getpriority(PRIO_PROCESS, 0);
  files_.begin();
}

void FileSink::write(const Blocks& blocks, size_t on_the_way) {
  Blocks of_file;
  for (Block* block : blocks) {
    if (block->used != 0) of_file.push_back(block);
    if (!block->file_end) continue;
    write_to_file(of_file, on_the_way);
    of_file.clear();
    files_.end(*block->file_end);
  }
  write_to_file(of_file, on_the_way);
}

void FileSink::write_to_file(const Blocks& blocks, size_t on_the_way) {
  if (blocks.empty()) return;
  before_writing(bytes_of(blocks));
  BlockFile& file = files_.file();
  file.write_blocks(blocks, on_the_way > kBlocks / 2 ? Backlog::large : Backlog::small);
  if (options_.priority == Priority::normal) return;
  const int wanted = file.is_direct() ? kDiskNice : own_nice_;
  if (wanted != writer_nice_) set_nice(wanted);
  writer_nice_ = wanted;
}

void FileSink::before_writing(size_t bytes) {
  if (room_) room_->before(bytes);
}

void FileSink::enter() {
  here_ = files_.is_in_memory() && own_cpus() == 1;
  if (rotation_) rotation_->begin(moment_at(now_ns(CLOCK_MONOTONIC)));
}

bool FileSink::is_full() const {
  if (rotation_) return rotation_->has_all_files();
  return options_.byte_limit != 0 && recorded_bytes_ >= options_.byte_limit;
}

Room FileSink::reserve(size_t at_least) {
  const size_t enough_now = enough();  // it becomes less when the writer thread is idle
  if (block_ != nullptr && (block_->used + at_least > Block::kBytes || block_->used >= enough_now)) flush();
  if (!has_block()) return overflow_->room();
  Block& to = *block_;
  Room room{to.bytes + to.used, Block::kBytes - to.used, enough_now - to.used};
  if (options_.byte_limit != 0) room.goal = std::min<uint64_t>(room.goal, options_.byte_limit - recorded_bytes_);
  if (rotation_) {
    room.goal = std::min<uint64_t>(room.goal, rotation_->bytes_left(recorded_bytes_));
    room.records = static_cast<uint32_t>(std::min<uint64_t>(UINT32_MAX, rotation_->packets_left()));
  }
  return room;
}

void FileSink::commit(const RecordSpan& span) {
  if (overflow_ && overflow_->holds(span.bytes)) {
    overflow_->lose(span);
    return options_.on_overflow(span.records);
  }
  Block& to = *block_;
  const size_t spare = Block::kBytes - to.used - span.size;
  const uint32_t size = span.size + (overflow_ ? overflow_->mark(span, to.bytes + to.used, spare) : 0);
  to.used += size;
  to.add_share(span.lane, span.records);
  record(span.lane, span.records, size);
  if (rotation_ && rotation_->is_full(recorded_bytes_)) {
    end_file();
  } else if (to.used >= enough()) {
    flush();
  }
}

// A span is cut where a file ends.
void FileSink::put(const RecordSpan& span) {
  if (!rotation_) return RecordSink::put(span);
  for (RecordSpan rest = span; rest.records != 0;) {
    const Room room = reserve(rest.size);
    RecordSpan part = rest;
    if (rest.size > room.goal || rest.records > room.records) {
      for (part.size = part.records = 0;
           part.size < room.goal && part.records < std::min(rest.records, room.records);) {
        part.size += static_cast<uint32_t>(stored_record_size(options_.format, rest.bytes + part.size));
        part.records++;
      }
    }
    memcpy(room.bytes, rest.bytes, part.size);
    commit({room.bytes, part.size, part.records, part.lane, part.steps_ns});
    rest.bytes += part.size;
    rest.size -= part.size;
    rest.records -= part.records;
  }
}

// Sees to a block that is being filled. There is none when all are on their way and nobody wants to wait.
bool FileSink::has_block() {
  if (block_ != nullptr) return true;
  block_ = overflow_ ? writer_.acquire_free() : writer_.acquire();
  if (block_ != nullptr) block_->begin_at(recorded_bytes_);
  return block_ != nullptr;
}

void FileSink::record(size_t lane, uint32_t packets, size_t bytes) {
  recorded_bytes_ += bytes;
  if (!rotation_) return;
  if (rotation_->is_between_files()) rotation_->begin(moment_at(now_ns(CLOCK_MONOTONIC)));
  rotation_->add(lane, packets);
}

// Whoever comes close to the end of a file goes through a block, which knows where it is.
bool FileSink::wants_in_place(size_t bytes, uint32_t records) const {
  if (options_.byte_limit != 0 || !writes_here()) return false;
  return !rotation_ || (bytes < rotation_->bytes_left(recorded_bytes_) && records < rotation_->packets_left());
}

void FileSink::write_in_place(iovec* records, uint32_t count, size_t size, uint16_t lane) {
  flush();  // what came before goes first
  record(lane, count, size);
  before_writing(size);
  files_.plain_file().write_records(records, count, lane);
}

void FileSink::write_span(const RecordSpan& span) {
  flush();  // what came before goes first
  record(span.lane, span.records, span.size);
  before_writing(span.size);
  files_.plain_file().write_span(span);
}

void FileSink::flush() {
  if (block_ == nullptr || block_->used == 0) return;
  flushed_ = true;
  if (writes_here()) {
    before_writing(block_->used);
    files_.file().write_blocks({block_}, Backlog::small);
    block_->clear();
  } else {
    writer_.submit(block_);
    block_ = nullptr;
    is_file_begun_ = true;
  }
}

// Ends the present file behind what was recorded until now. There is a block.
void FileSink::end_file() {
  Block& last = *block_;
  last.file_end = std::make_unique<FileEnd>(
      FileEnd{options_.rotation->trailer(rotation_->packets_by_lane()), rotation_->begun_wall_ns()});
  writer_.submit(&last);
  block_ = nullptr;
  flushed_ = true;
  is_file_begun_ = false;
  rotation_->end();
  recorded_bytes_ = options_.header.size();
  if (rotation_->has_all_files()) options_.rotation->on_last();
}

void FileSink::tick(uint64_t now, uint64_t) {
  if (rotation_ && rotation_->is_due(moment_at(now)) && has_block()) end_file();
  // While the writer thread is busy, packets gather in the block: a slow output makes blocks larger, and loses nothing
  // that it would have taken otherwise.
  const bool is_due = options_.hurry == FileSinkOptions::Hurry::each_round && writer_.is_idle();
  const bool is_wanted =
      is_flush_wanted_.load(std::memory_order_relaxed) && is_flush_wanted_.exchange(false, std::memory_order_relaxed);
  if (is_due || is_wanted || (!flushed_ && now - flushed_at_ns_ > flush_ns_)) flush();
  if (std::exchange(flushed_, false)) flushed_at_ns_ = now;
}

void FileSink::finish(const std::vector<uint8_t>& trailer) {
  if (finished_) return;
  finished_ = true;
  flush();
  files_.give_up_on_stalls();
  writer_.stop();
  room_.reset();
  files_.end({trailer, rotation_ ? rotation_->begun_wall_ns() : 0});
}

}  // namespace dpcap
