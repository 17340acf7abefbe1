#include "sink/rotation/file_series.h"

#include <utility>

#include "sink/compress/compressed_file.h"

namespace dpcap {

FileSeries::FileSeries(int fd, SeriesOptions options, SinkCounters& counters, FileSupply* supply)
    : options_(std::move(options)), counters_(counters), supply_(supply) {
  if (options_.compression.codec != Codec::none) pool_.emplace(options_.compression);
  open(fd);
}

// Every file of a capture is made here.
void FileSeries::open(int fd) {
  auto file = std::make_unique<OutputFile>(fd, options_.format, counters_);
  plain_ = pool_ ? nullptr : file.get();
  if (pool_) {
    file_ = std::make_unique<CompressedFile>(std::move(file), *pool_, counters_);
  } else {
    file_ = std::move(file);
  }
}

void FileSeries::write_header() {
  begins_at_ = counters_.bytes_written();
  file_->write_or_take_back(options_.header);
  if (supply_ != nullptr) supply_->tell({number_, false});
}

OutputFile& FileSeries::plain_file() {
  file();
  return *plain_;
}

BlockFile& FileSeries::file() {
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
