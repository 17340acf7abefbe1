// Writes the whole pages of a file straight from the blocks to the disk (O_DIRECT), past the page cache. The page cache
// would copy them once more, into memory that the kernel has to find first. One thread at a time.
//
// The rest of the last page is written in the ordinary way, so that the file always has all there is; the next block
// writes that page again. io_uring brings nothing here: the kernel lets no other write pass one that makes a file
// longer (ext4, XFS), and a file that is made long in advance has zeros where a live reader looks for packets.
#pragma once
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>

#include "base/fd.h"
#include "record/block.h"
#include "sink/disk/direct_io_policy.h"

namespace dpcap {

class DirectIo {
 public:
  // Returns direct I/O for the new file `fd`; nothing if `fd` is no file, has a beginning already, or lies in a file
  // system without O_DIRECT.
  static std::optional<DirectIo> of(int fd);

  // Writes the whole pages of `blocks`, the next ones, to `offset`, the end of the file, if that is worthwhile. Returns
  // how many bytes of the blocks are in the file: 0 when the page cache is the better way, or the only one; -1 with
  // errno when the write was refused.
  ssize_t write(const Blocks& blocks, off_t offset, Backlog backlog);
  // Whether the last blocks were written this way.
  bool was_taken() const { return taken_ == DirectIoPolicy::straight; }
  // Notes that the rest was written as well: all of `blocks` are in the file.
  void wrote(const Blocks& blocks);
  // Notes that something else was added to the file.
  void wrote(const uint8_t* bytes, size_t size);

 private:
  explicit DirectIo(Descriptor fd) : fd_(std::move(fd)) {}
  bool fits(const Blocks& blocks) const;
  ssize_t write_pages(const Blocks& blocks);

  Descriptor fd_;
  off_t end_ = 0;                                  // the end of the file, as far as known here
  std::array<uint8_t, Block::kPage> last_page_{};  // the file's last page, as far as it is filled
  DirectIoPolicy way_;
  DirectIoPolicy::Way taken_ = DirectIoPolicy::cached;
  uint64_t began_ns_ = 0;
};

}  // namespace dpcap
