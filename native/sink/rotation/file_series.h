// The file that a sink writes to, and those that come after it when the capture has several. One thread at a time: the
// writer thread, or the drain thread while that is idle (see FileSink).
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "record/file_end.h"
#include "sink/compress/compressor_pool.h"
#include "sink/output_file.h"
#include "sink/rotation/file_supply.h"
#include "sink/sink.h"

namespace dpcap {

struct SeriesOptions {
  FileFormat format;
  std::vector<uint8_t> header;  // of each file
  Compression compression;
};

class FileSeries {
 public:
  // Takes the first file over. `supply`: where the others come from; nullptr: there is one.
  FileSeries(int fd, SeriesOptions options, SinkCounters& counters, FileSupply* supply);

  // Writes the header of the first file.
  void begin() { write_header(); }
  // Returns the file that the next records belong to, and begins it when that has to be done. When there is none to be
  // had, the sink has failed, and the file that is returned counts records as lost.
  BlockFile& file();
  // The same where files are in memory (is_in_memory()): these are written in place.
  OutputFile& plain_file();
  // The file that was begun last.
  const BlockFile& last() const { return *file_; }
  // Files are in memory and not compressed, so that writing never waits.
  bool is_in_memory() const { return plain_ != nullptr && plain_->is_in_memory(); }
  // Finishes the file that is open, if one is. A sink that failed writes no trailer.
  void end(const FileEnd& end);

  // Any thread: neither a stalled reader nor a missing file is waited for much longer.
  void give_up_on_stalls();

 private:
  void open(int fd);
  void write_header();

  const SeriesOptions options_;
  SinkCounters& counters_;
  FileSupply* const supply_;
  std::optional<CompressorPool> pool_;  // of files that are compressed
  std::unique_ptr<BlockFile> file_;
  OutputFile* plain_ = nullptr;  // file_, where it is not compressed
  bool is_open_ = true;
  uint32_t number_ = 1;
  uint64_t begins_at_ = 0;  // how many bytes of the capture were written before this file
};

}  // namespace dpcap
