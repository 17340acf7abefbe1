// A window on the bytes of a file, which moves forward: a parser asks for as many as it needs in one piece.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "reader/input/byte_source.h"

namespace dpcap {

class Window {
 public:
  // `source` outlives the window. `bytes`: how large it is to begin with.
  explicit Window(ByteSource& source, size_t bytes = kBytes) : source_(&source), buffer_(bytes) {}

  enum class Has { all, not_yet, ended };
  // Sees to it that so many bytes are in the window, kMost at the most. Throws as ByteSource::read().
  Has need(size_t bytes);
  static constexpr size_t kMost = 16 << 20;

  const uint8_t* bytes() const { return buffer_.data() + begin_; }
  size_t size() const { return end_ - begin_; }
  // Moves on by bytes that are in the window.
  void take(size_t bytes) {
    begin_ += bytes;
    offset_ += bytes;
  }
  // Where in the file, decompressed, the window begins.
  uint64_t offset() const { return offset_; }
  bool is_cut() const { return source_->is_cut(); }

  // Goes on with what another source gives: the bytes that are in the window belong to neither any more.
  void begin_again(ByteSource& source);

 private:
  static constexpr size_t kBytes = 1 << 20;

  ByteSource* source_;
  std::vector<uint8_t> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  uint64_t offset_ = 0;
};

}  // namespace dpcap
