// Between the writer thread, which needs a file after the other, and the control thread, which opens them, names the
// finished ones and may take its time for both. Any thread.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "base/notify.h"

namespace dpcap {

// What became of one of a capture's files.
struct FileTurn {
  uint32_t number;   // from 1, in order
  bool is_finished;  // otherwise it was begun
  // Of a finished file. Without bytes it has not even a header, and is none.
  uint64_t bytes = 0;
  uint64_t begin_ns = 0;  // CLOCK_REALTIME
};

class FileSupply {
 public:
  // `on_turn`: called when there is something to take.
  explicit FileSupply(Notify on_turn) : on_turn_(std::move(on_turn)) {}
  ~FileSupply();
  FileSupply(const FileSupply&) = delete;
  FileSupply& operator=(const FileSupply&) = delete;

  // Control thread: hands over the next file, which is closed here when nobody wants it any more.
  void supply(int fd);
  // Control thread: there will be no other file, because of this errno.
  void refuse(int err);
  // Control thread: what has happened since the last call.
  std::vector<FileTurn> take_turns();
  // From now on the writer thread waits no longer than kPatience for a file.
  void give_up();

  // Writer thread: returns the next file, or a negative errno. It waits.
  int next();
  // Writer thread, or whoever finishes the last file.
  void tell(const FileTurn& turn);

 private:
  static constexpr std::chrono::seconds kPatience{2};

  const Notify on_turn_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<int> files_;
  std::vector<FileTurn> turns_;
  int refused_ = 0;  // errno
  bool is_ending_ = false;
};

}  // namespace dpcap
