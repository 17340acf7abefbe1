// Threads that compress ("dpcap-compress"), each block to a frame of its own.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "record/block.h"
#include "sink/compress/compression.h"

namespace dpcap {

// The bytes of a frame; `err` is an errno when they could not be made.
struct CompressedFrame {
  std::vector<uint8_t> bytes;
  int err = 0;
};

// One thread at a time calls it.
class CompressorPool {
 public:
  // Throws as make_compressor().
  explicit CompressorPool(const Compression& compression);
  ~CompressorPool();
  CompressorPool(const CompressorPool&) = delete;
  CompressorPool& operator=(const CompressorPool&) = delete;

  size_t size() const { return compressors_.size(); }
  // Compresses the blocks, several at the same time, and waits until all are. The frames are in the order of the
  // blocks, and stay until the next call.
  const std::vector<CompressedFrame>& compress(const Blocks& blocks);
  // The same with bytes that are in no block.
  const std::vector<CompressedFrame>& compress(const std::vector<uint8_t>& bytes);

 private:
  struct Piece {
    const uint8_t* bytes;
    size_t size;
  };

  const std::vector<CompressedFrame>& compress_all();
  void run(Compressor& compressor);

  std::vector<std::unique_ptr<Compressor>> compressors_;
  std::mutex mutex_;
  std::condition_variable given_, done_;
  // Guarded by mutex_, but for a piece and its frame, which are the thread's that has taken them.
  std::vector<Piece> pieces_;
  std::vector<CompressedFrame> frames_;
  size_t taken_ = 0;
  size_t left_ = 0;
  bool is_closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace dpcap
