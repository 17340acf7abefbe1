#include "reader/input/window.h"

#include <cstring>

namespace dpcap {

Window::Has Window::need(size_t bytes) {
  while (size() < bytes) {
    if (buffer_.size() - begin_ < bytes) {
      memmove(buffer_.data(), this->bytes(), size());
      end_ -= begin_;
      begin_ = 0;
      if (buffer_.size() < bytes) buffer_.resize(bytes);
    }
    const ssize_t got = source_->read(&buffer_[end_], buffer_.size() - end_);
    if (got == ByteSource::kEnd) return Has::ended;
    if (got == ByteSource::kNothingYet) return Has::not_yet;
    end_ += static_cast<size_t>(got);
  }
  return Has::all;
}

void Window::begin_again(ByteSource& source) {
  source_ = &source;
  begin_ = end_ = 0;
  offset_ = 0;
}

}  // namespace dpcap
