// A source of bytes that gives them in pieces of any size, and now and then has nothing yet.
#pragma once
#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "reader/input/byte_source.h"

class ByteFeed : public dpcap::ByteSource {
 public:
  // `piece`: the most bytes at once; before each piece there is nothing yet, once. 0: all at once.
  explicit ByteFeed(std::vector<uint8_t> bytes, size_t piece = 0) : bytes_(std::move(bytes)), piece_(piece) {}

  ssize_t read(uint8_t* bytes, size_t size) override {
    if (piece_ != 0 && std::exchange(is_ready_, !is_ready_) == false) return kNothingYet;
    size_t some = std::min(size, bytes_.size() - at_);
    if (piece_ != 0) some = std::min(some, piece_);
    if (some > 0) memcpy(bytes, &bytes_[at_], some);
    at_ += some;
    return static_cast<ssize_t>(some);
  }

 private:
  const std::vector<uint8_t> bytes_;
  const size_t piece_;
  size_t at_ = 0;
  bool is_ready_ = false;
};
