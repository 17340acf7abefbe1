// A sink with files that follow one another, and a test in the place of the control thread that opens them.
#pragma once
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "books.h"
#include "sink/file_sink.h"
#include "temporary_file.h"

namespace rotation_test {

using namespace dpcap;

constexpr size_t kHeader = 24;
constexpr size_t kTrailer = 3;

// A sink whose files are taken from a folder, as the control thread does it.
struct Series {
  explicit Series(const RotationLimits& limits, const char* folder = "/tmp", size_t files_ahead = 1)
      : folder(folder), books(1), supply([this] { keep_supplied(); }), ahead(files_ahead) {
    const auto trailer = [this](const std::vector<uint64_t>& packets) {
      by_lane.push_back(packets[0]);
      return std::vector<uint8_t>{1, 2, 3};
    };
    FileSinkOptions options{FileFormat::pcap, 0, std::vector<uint8_t>(kHeader), Priority::normal,
                            FileRotation{limits, 1, &supply, trailer, [this] { told_last++; }}};
    for (size_t i = 0; i < ahead; i++) supply_one();
    sink.emplace(files.emplace_front(this->folder).fd, std::move(options), books.counters);
  }

  void supply_one() {
    const std::lock_guard lock(mutex);
    supply.supply(files.emplace_back(folder).fd);
  }
  // The writer thread tells its turns outside of any lock.
  void keep_supplied() {
    for (const FileTurn& turn : supply.take_turns()) {
      if (turn.is_finished) finished.push_back(turn);
      if (!turn.is_finished && turn.number > 1 && ahead != 0) supply_one();
    }
  }

  // While the sink may still take files.
  size_t size_of(size_t file) {
    const std::lock_guard lock(mutex);
    return files[file].size();
  }

  std::string folder;
  std::mutex mutex;
  std::deque<TemporaryFile> files;
  Books books;
  FileSupply supply;
  const size_t ahead;
  std::vector<FileTurn> finished;
  std::vector<uint64_t> by_lane;
  int told_last = 0;
  std::optional<FileSink> sink;
};

}  // namespace rotation_test
