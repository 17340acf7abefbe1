#include "sink/compress/compressor_pool.h"

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <exception>

namespace dpcap {

CompressorPool::CompressorPool(const Compression& compression) {
  for (unsigned i = 0; i < std::max(compression.threads, 1u); i++) {
    compressors_.push_back(make_compressor(compression.codec, compression.level));
  }
  for (const auto& compressor : compressors_) {
    threads_.emplace_back([this, one = compressor.get()] { run(*one); });
  }
}

CompressorPool::~CompressorPool() {
  {
    const std::lock_guard lock(mutex_);
    is_closing_ = true;
  }
  given_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

const std::vector<CompressedFrame>& CompressorPool::compress(const Blocks& blocks) {
  pieces_.clear();
  for (const Block* block : blocks) pieces_.push_back({block->bytes, block->used});
  return compress_all();
}

const std::vector<CompressedFrame>& CompressorPool::compress(const std::vector<uint8_t>& bytes) {
  pieces_ = {{bytes.data(), bytes.size()}};
  return compress_all();
}

const std::vector<CompressedFrame>& CompressorPool::compress_all() {
  std::unique_lock lock(mutex_);
  frames_.resize(std::max(frames_.size(), pieces_.size()));  // those that are there keep their memory
  taken_ = 0;
  left_ = pieces_.size();
  given_.notify_all();
  done_.wait(lock, [this] { return left_ == 0; });
  return frames_;
}

void CompressorPool::run(Compressor& compressor) {
  pthread_setname_np(pthread_self(), "dpcap-compress");
  std::unique_lock lock(mutex_);
  while (true) {
    given_.wait(lock, [this] { return is_closing_ || (left_ > 0 && taken_ < pieces_.size()); });
    if (is_closing_) return;
    const size_t at = taken_++;
    const Piece piece = pieces_[at];
    CompressedFrame& frame = frames_[at];
    lock.unlock();
    try {
      compressor.compress(piece.bytes, piece.size, &frame.bytes);
      frame.err = 0;
    } catch (const std::exception&) {
      frame.err = ENOMEM;  // whole blocks can always be compressed, so nothing else can fail
    }
    lock.lock();
    if (--left_ == 0) done_.notify_one();
  }
}

}  // namespace dpcap
