// The file that a sink writes to, and those that come after it when the capture has several. One thread at a time: the
// writer thread, or the drain thread while that is idle (see FileSink).
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "record/file_end.h"
#include "sink/output_file.h"
#include "sink/rotation/file_supply.h"
#include "sink/sink.h"

namespace dpcap {

class FileSeries {
 public:
  // Takes the first file over. `supply`: where the others come from; nullptr: there is one.
  FileSeries(int fd, FileFormat format, std::vector<uint8_t> header, SinkCounters& counters, FileSupply* supply);

  // Writes the header of the first file.
  void begin() { write_header(); }
  // Returns the file that the next records belong to, and begins it when that has to be done. When there is none to be
  // had, the sink has failed, and the file that is returned counts records as lost.
  OutputFile& file();
  // The file that was begun last.
  const OutputFile& last() const { return *file_; }
  // Finishes the file that is open, if one is. A sink that failed writes no trailer.
  void end(const FileEnd& end);

  // Any thread: neither a stalled reader nor a missing file is waited for much longer.
  void give_up_on_stalls();

 private:
  void open(int fd);
  void write_header();

  const FileFormat format_;
  const std::vector<uint8_t> header_;
  SinkCounters& counters_;
  FileSupply* const supply_;
  std::unique_ptr<OutputFile> file_;
  bool is_open_ = true;
  uint32_t number_ = 1;
  uint64_t begins_at_ = 0;  // how many bytes of the capture were written before this file
};

}  // namespace dpcap
