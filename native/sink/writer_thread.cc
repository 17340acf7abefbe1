#include "sink/writer_thread.h"

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace dpcap {
namespace {

timespec deadline_in(int ms) {
  timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  at.tv_nsec += ms * 1000000l;
  at.tv_sec += at.tv_nsec / 1000000000;
  at.tv_nsec %= 1000000000;
  return at;
}

// Returns false when nothing was posted within `ms`.
bool wait_for(sem_t* semaphore, int ms) {
  const timespec deadline = deadline_in(ms);
  while (sem_clockwait(semaphore, CLOCK_MONOTONIC, &deadline) != 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

void wait_for(sem_t* semaphore) {
  while (sem_wait(semaphore) != 0) {
  }
}

}  // namespace

WriterThread::WriterThread(size_t blocks, size_t at_once, Writer writer)
    : at_once_(at_once), writer_(std::move(writer)), blocks_(blocks), full_(blocks) {
  sem_init(&submitted_, 0, 0);
  sem_init(&freed_, 0, 0);
  for (Block& block : blocks_) {
    block.next = free_;
    free_ = &block;
  }
  free_count_ = blocks;
  thread_ = std::thread([this] { run(); });
}

// One thread says that it waits and then looks at free_ (acquire()), the other frees a block and then looks whether
// somebody waits (give_back()). Both pairs are sequentially consistent, so that at least one of them sees the other.
Block* WriterThread::take_free() {
  Block* block = free_.load(std::memory_order_seq_cst);
  while (block != nullptr && !free_.compare_exchange_weak(block, block->next, std::memory_order_acquire)) {
  }
  if (block != nullptr) free_count_--;
  return block;
}

Block* WriterThread::acquire() {
  while (true) {
    if (Block* block = take_free()) return block;
    is_waited_for_ = true;
    if (Block* block = take_free()) {
      if (!is_waited_for_.exchange(false)) wait_for(&freed_);  // the writer thread posted it in between
      return block;
    }
    wait_for(&freed_);
  }
}

void WriterThread::submit(Block* block) {
  full_[last_] = block;
  last_ = (last_ + 1) % full_.size();
  on_the_way_.fetch_add(1, std::memory_order_release);
  sem_post(&submitted_);
}

void WriterThread::stop() {
  if (!thread_.joinable()) return;
  closing_ = true;
  sem_post(&submitted_);
  thread_.join();
  sem_destroy(&submitted_);
  sem_destroy(&freed_);
}

void WriterThread::give_back(Block* block) {
  block->clear();
  block->next = free_.load(std::memory_order_relaxed);
  while (!free_.compare_exchange_weak(block->next, block, std::memory_order_seq_cst)) {
  }
  const size_t now_free = ++free_count_;
  const size_t left = on_the_way_.fetch_sub(1, std::memory_order_acq_rel) - 1;
  // A drain thread that had to wait gets several blocks at once: a wake-up costs as much as dozens of packets.
  if ((left == 0 || now_free >= blocks_.size() / 2) && is_waited_for_.exchange(false)) sem_post(&freed_);
}

void WriterThread::run() {
  pthread_setname_np(pthread_self(), "dpcap-writer");
  writer_.open();
  on_the_way_--;
  Blocks blocks;
  while (true) {
    if (!writer_.idle) {
      wait_for(&submitted_);
    } else if (!wait_for(&submitted_, kIdleMs)) {
      writer_.idle();
      continue;
    }
    if (on_the_way_.load(std::memory_order_acquire) == 0 && closing_) return;
    take_submitted(&blocks);
    writer_.write(blocks, on_the_way_);
    for (Block* block : blocks) give_back(block);
  }
}

// Takes the block that was waited for, and those that came with it.
void WriterThread::take_submitted(Blocks* blocks) {
  blocks->clear();
  do {
    blocks->push_back(full_[first_]);
    first_ = (first_ + 1) % full_.size();
  } while (blocks->size() < std::min(at_once_, on_the_way_.load()) && sem_trywait(&submitted_) == 0);
}

}  // namespace dpcap
