#include "core/file_sink.h"

#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/affinity.h"

namespace dpcap {
namespace {

constexpr int kDiskNice = -19;            // before the drain: while it waits for a CPU, the disk waits for it
constexpr uint64_t kFlushMs = 20;         // a lone packet is seen at once, others of a stream within this time
constexpr uint32_t kScattered = 400;      // bytes of a packet from which on writing it in place beats copying it
constexpr uint32_t kMostScattered = 512;  // as many as a run has
constexpr uint64_t kWatchMs = 20;         // with a thread for writing: look for a shortage of CPUs this often
constexpr uint64_t kHereMs = 2000;        // without one: try again after this
constexpr double kShortage = 0.1;         // of the time waiting for a CPU

uint64_t ticks(uint64_t ms) { return rte_get_tsc_hz() / 1000 * ms; }

}  // namespace

FileSink::FileSink(int fd, FileSinkOptions options, SinkFigures& figures)
    : Sink(figures),
      options_(std::move(options)),
      recorder_(options_.file, options_.mode),
      file_(fd, options_.file.format, figures_),
      hand_over_(
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
  if (!options_.comes_first) return;
  const int wanted = file_.is_direct() ? kDiskNice : own_nice_;
  if (wanted != writer_nice_) be_nice(wanted);
  writer_nice_ = wanted;
}

void FileSink::enter() {
  if (!file_.is_in_memory()) return;
  run_delay_.emplace();
  choose_at_ = rte_get_tsc_cycles() + ticks(kWatchMs);
}

bool FileSink::is_full() const { return options_.byte_limit != 0 && recorded_bytes_ >= options_.byte_limit; }

uint32_t FileSink::put(const Run& run) {
  uint32_t taken = 0;
  while (taken < run.count && !is_full()) taken += record(run, taken);
  return taken;
}

uint32_t FileSink::record(const Run& run, uint32_t first) {
  if (options_.byte_limit == 0 && run.mbufs[first]->pkt_len >= kScattered && writes_here()) {
    if (const uint32_t written = write_in_place(run, first)) return written;
  }
  Block& to = block();
  const size_t before = to.used;
  size_t goal = enough();
  if (options_.byte_limit != 0) goal = std::min<uint64_t>(goal, before + (options_.byte_limit - recorded_bytes_));
  const uint32_t recorded = recorder_.fill(run, first, goal, to);
  recorded_bytes_ += to.used - before;
  if (recorded < run.count - first) flush();
  return recorded;
}

void FileSink::put_records(const uint8_t* records, size_t size, Block::Share share) {
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
    block_ = hand_over_.acquire();
    block_->begin_at(recorded_bytes_);
  }
  return *block_;
}

// The kernel copies byte by byte, and waits for each line that another core has: have them all come at once.
void prefetch_all(const iovec& record) {
  const auto* bytes = static_cast<const uint8_t*>(record.iov_base);
  for (size_t at = 0; at < record.iov_len; at += RTE_CACHE_LINE_SIZE) rte_prefetch1(bytes + at);
}

// Returns how many were written.
uint32_t FileSink::write_in_place(const Run& run, uint32_t first) {
  iovec records[kMostScattered];
  uint32_t count = 0;
  while (count < std::min(run.count - first, kMostScattered) && recorder_.wrap(run, first + count, &records[count])) {
    prefetch_all(records[count++]);
  }
  if (count == 0) return 0;
  flush();  // what came before
  for (uint32_t i = 0; i < count; i++) recorded_bytes_ += records[i].iov_len;
  file_.write_records(records, count, static_cast<uint16_t>(run.lane.index));
  return count;
}

void FileSink::flush() {
  if (block_ == nullptr || block_->used == 0) return;
  flushed_ = true;
  if (writes_here()) {
    file_.write_blocks({block_}, false);
    block_->clear();
  } else {
    hand_over_.submit(block_);
    block_ = nullptr;
  }
}

void FileSink::tick(uint64_t now_tsc, uint64_t) {
  if (!flushed_ && now_tsc - flushed_at_ > ticks(kFlushMs)) flush();
  if (std::exchange(flushed_, false)) flushed_at_ = now_tsc;
  if (run_delay_ && now_tsc > choose_at_ && recorded_bytes_ != chosen_bytes_) choose_writer(now_tsc);
}

void FileSink::choose_writer(uint64_t now_tsc) {
  here_ = run_delay_->share() > kShortage;
  if (here_) hand_over_.wait_until_idle();  // or under load it never is
  choose_at_ = now_tsc + ticks(here_ ? kHereMs : kWatchMs);
  chosen_bytes_ = recorded_bytes_;
}

void FileSink::finish(const std::vector<uint8_t>& trailer) {
  if (finished_) return;
  finished_ = true;
  flush();
  file_.give_up_on_stalls();
  hand_over_.stop();
  if (figures_.failure() == 0) file_.write_or_take_back(trailer);
  file_.close();
}

}  // namespace dpcap
