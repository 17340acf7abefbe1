#include "sink/rotation/file_supply.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace dpcap {

FileSupply::~FileSupply() {
  for (const int fd : files_) close(fd);
}

void FileSupply::supply(int fd) {
  const std::lock_guard lock(mutex_);
  files_.push_back(fd);
  changed_.notify_all();
}

void FileSupply::refuse(int err) {
  const std::lock_guard lock(mutex_);
  refused_ = err;
  changed_.notify_all();
}

std::vector<FileTurn> FileSupply::take_turns() {
  const std::lock_guard lock(mutex_);
  return std::exchange(turns_, {});
}

void FileSupply::give_up() {
  const std::lock_guard lock(mutex_);
  is_ending_ = true;
  changed_.notify_all();
}

int FileSupply::next() {
  std::unique_lock lock(mutex_);
  const auto is_there = [this] { return !files_.empty() || refused_ != 0; };
  changed_.wait(lock, [&] { return is_there() || is_ending_; });
  if (!is_there() && !changed_.wait_for(lock, kPatience, is_there)) return -ETIMEDOUT;
  if (files_.empty()) return -refused_;
  const int fd = files_.front();
  files_.pop_front();
  return fd;
}

void FileSupply::tell(const FileTurn& turn) {
  {
    const std::lock_guard lock(mutex_);
    turns_.push_back(turn);
  }
  if (on_turn_) on_turn_();
}

}  // namespace dpcap
