#include "core/sink.h"

#include <pthread.h>

#include <chrono>
#include <cstring>
#include <ctime>

namespace dpcap {
namespace {

int64_t monotonic_ms() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

}  // namespace

Sink::Sink(FileFormat format, size_t blocks, size_t lanes, size_t block_goal)
    : format_(format), block_goal_(block_goal), blocks_(blocks), lost_(new std::atomic<uint64_t>[lanes]()) {
  for (Block& block : blocks_) {
    block.bytes.reset(new uint8_t[kBlockBytes]);
    memset(block.bytes.get(), 0, kBlockBytes);  // the first touch of memory is slow: not while packets come in
    block.lanes.reserve(kBlockBytes / 76);      // 60-byte packets in pcap
    free_.push_back(&block);
  }
}

Sink::~Sink() = default;

void Sink::start() {
  thread_ = std::thread([this] { run(); });
}

Block* Sink::acquire() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return !free_.empty(); });
  Block* block = free_.back();  // the warmest in the cache
  free_.pop_back();
  return block;
}

void Sink::submit(Block* block) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    full_.push_back(block);
  }
  changed_.notify_all();  // without the lock, or the other thread wakes up to wait for it
}

void Sink::give_up_on_stalls() { stall_deadline_ms_ = monotonic_ms() + kStalledReaderMs; }

bool Sink::is_past_stall_deadline() const {
  const int64_t deadline = stall_deadline_ms_;
  return deadline != 0 && monotonic_ms() > deadline;
}

void Sink::finish(const std::vector<uint8_t>& trailer) {
  if (!thread_.joinable()) return;
  give_up_on_stalls();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    trailer_ = trailer;
    closing_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

// Thread "dpcap-writer".
void Sink::run() {
  pthread_setname_np(pthread_self(), "dpcap-writer");
  open();
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    const bool work =
        changed_.wait_for(lock, std::chrono::milliseconds(kIdleMs), [&] { return !full_.empty() || closing_; });
    if (!work) {
      lock.unlock();
      idle();
      lock.lock();
      continue;
    }
    if (full_.empty()) break;
    Block* block = full_.front();
    full_.pop_front();
    lock.unlock();
    if (failure() != 0) {
      count_lost(*block, 0);
    } else {
      write_block(*block);
    }
    block->used = 0;
    block->lanes.clear();
    lock.lock();
    free_.push_back(block);
    // A drain thread that had to wait gets several at once: a wake-up costs as much as dozens of packets.
    if (full_.empty() || free_.size() >= blocks_.size() / 2) changed_.notify_all();
  }
  lock.unlock();
  close(trailer_);
}

void Sink::count_lost(const Block& block, size_t from_byte) {
  size_t at = 0;
  for (const uint16_t lane : block.lanes) {
    if (at >= from_byte) lost_[lane]++;
    at += stored_record_size(format_, block.bytes.get() + at);
  }
}

void Sink::fail(int err) {
  int none = 0;
  failure_.compare_exchange_strong(none, err);
}

}  // namespace dpcap
