#include "sink/rotation/file_series.h"

#include <utility>

namespace dpcap {

FileSeries::FileSeries(int fd, FileFormat format, std::vector<uint8_t> header, SinkCounters& counters,
                       FileSupply* supply)
    : format_(format), header_(std::move(header)), counters_(counters), supply_(supply) {
  open(fd);
}

// Every file of a capture is made here.
void FileSeries::open(int fd) { file_ = std::make_unique<OutputFile>(fd, format_, counters_); }

void FileSeries::write_header() {
  begins_at_ = counters_.bytes_written();
  file_->write_or_take_back(header_);
  if (supply_ != nullptr) supply_->tell({number_, false});
}

OutputFile& FileSeries::file() {
  if (is_open_ || counters_.failure() != 0) return *file_;
  const int fd = supply_->next();
  if (fd < 0) {
    counters_.fail(-fd);
    return *file_;
  }
  open(fd);
  is_open_ = true;
  number_++;
  write_header();
  return *file_;
}

void FileSeries::end(const FileEnd& end) {
  if (!is_open_) return;
  is_open_ = false;
  if (counters_.failure() == 0) file_->write_or_take_back(end.trailer);
  file_->close();
  if (supply_ == nullptr) return;
  supply_->tell({number_, true, counters_.bytes_written() - begins_at_, end.begin_ns});
}

// Files that follow one another are regular files, where no reader stalls; and file_ changes meanwhile.
void FileSeries::give_up_on_stalls() {
  if (supply_ == nullptr) return file_->give_up_on_stalls();
  supply_->give_up();
}

}  // namespace dpcap
