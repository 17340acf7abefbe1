#include "reader/input/decoded_source.h"

#include <algorithm>
#include <cstring>

namespace dpcap {
namespace {

constexpr size_t kBytes = 256 * 1024;

}  // namespace

DecodedSource::DecodedSource(ByteSource& from, Codec codec, const std::vector<uint8_t>& seen)
    : from_(from), decompressor_(make_decompressor(codec)), buffer_(std::max(kBytes, seen.size())), end_(seen.size()) {
  std::copy(seen.begin(), seen.end(), buffer_.begin());
}

// A decompressor may have bytes in it that did not fit into the last result, so it is asked before more are read.
ssize_t DecodedSource::read(uint8_t* bytes, size_t size) {
  while (true) {
    const auto [consumed, produced] = decompressor_->decompress(buffer_.data() + begin_, end_ - begin_, bytes, size);
    begin_ += consumed;
    if (produced != 0) return static_cast<ssize_t>(produced);
    if (consumed != 0) continue;
    memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    const ssize_t got = from_.read(&buffer_[end_], buffer_.size() - end_);
    if (got <= 0) return got;
    end_ += static_cast<size_t>(got);
  }
}

}  // namespace dpcap
