#include "sink/compress/compressed_file.h"

namespace dpcap {

void CompressedFile::write_or_take_back(const std::vector<uint8_t>& bytes) {
  if (!bytes.empty()) write(pool_.compress(bytes).front());
}

// A frame that does not get through whole is taken back, with all packets in it.
void CompressedFile::write_blocks(const Blocks& blocks, Backlog) {
  const std::vector<CompressedFrame>& frames = pool_.compress(blocks);
  for (size_t i = 0; i < blocks.size(); i++) {
    if (!write(frames[i])) file_->lose(*blocks[i]);
  }
}

bool CompressedFile::write(const CompressedFrame& frame) {
  if (frame.err != 0) counters_.fail(frame.err);
  if (counters_.failure() != 0) return false;
  file_->write_or_take_back(frame.bytes);
  return counters_.failure() == 0;
}

}  // namespace dpcap
