// A file, pipe or socket whose bytes are compressed: the header, each block, and the trailer are frames of their own,
// so that a file that was cut can be read up to its last whole frame. Compressing is done by threads of its own; the
// thread that writes waits for them, so that a slow compressor is to the capture what a slow disk is.
#pragma once
#include <memory>
#include <utility>

#include "sink/compress/block_file.h"
#include "sink/compress/compressor_pool.h"
#include "sink/output_file.h"

namespace dpcap {

class CompressedFile : public BlockFile {
 public:
  // `pool` is that of all files of the capture.
  CompressedFile(std::unique_ptr<OutputFile> file, CompressorPool& pool, SinkCounters& counters)
      : counters_(counters), pool_(pool), file_(std::move(file)) {}

  void write_or_take_back(const std::vector<uint8_t>& bytes) override;
  void write_blocks(const Blocks& blocks, Backlog) override;
  size_t at_once() const override { return pool_.size(); }
  bool has_reader() const override { return file_->has_reader(); }
  void look_at_reader() override { file_->look_at_reader(); }
  bool is_direct() const override { return false; }
  void give_up_on_stalls() override { file_->give_up_on_stalls(); }
  void close() override { file_->close(); }

 private:
  bool write(const CompressedFrame& frame);

  SinkCounters& counters_;
  CompressorPool& pool_;
  const std::unique_ptr<OutputFile> file_;
};

}  // namespace dpcap
