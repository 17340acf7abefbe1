// What a file sink writes its blocks to: an output as it is (OutputFile), or one that is compressed (CompressedFile).
//
// One thread at a time, except for give_up_on_stalls().
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "record/block.h"
#include "sink/disk/direct_io_policy.h"

namespace dpcap {

class BlockFile {
 public:
  virtual ~BlockFile() = default;

  // Writes a header or trailer. A torn one is worse than none, so it is taken back where that is possible.
  virtual void write_or_take_back(const std::vector<uint8_t>& bytes) = 0;
  // Writes blocks, and counts records that do not get through as lost. Changes the memory in front of the blocks.
  virtual void write_blocks(const Blocks& blocks, Backlog backlog) = 0;
  // How many blocks are better written at once.
  virtual size_t at_once() const = 0;
  // It is no file, so somebody reads it at the other end.
  virtual bool has_reader() const = 0;
  // Notices a reader that closed its end, without a packet to write.
  virtual void look_at_reader() = 0;
  // The last blocks went past the page cache: writing waits for the disk, and takes next to no CPU.
  virtual bool is_direct() const = 0;
  // Any thread: from now on a stalled reader is not waited for much longer.
  virtual void give_up_on_stalls() = 0;
  virtual void close() = 0;
};

}  // namespace dpcap
