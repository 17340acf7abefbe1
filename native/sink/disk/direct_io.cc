#include "sink/disk/direct_io.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/now.h"

namespace dpcap {
namespace {

// From this size on, two writes (the whole pages, then the rest) take less CPU time than one through the page cache.
constexpr size_t kWorthwhile = 256 * 1024;

bool is_new_file(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0 && lseek(fd, 0, SEEK_CUR) == 0 &&
         (fcntl(fd, F_GETFL) & O_APPEND) == 0;
}

}  // namespace

std::optional<DirectIo> DirectIo::of(int fd) {
  if (!is_new_file(fd)) return std::nullopt;
  Descriptor direct(open_again(fd, O_WRONLY | O_DIRECT));
  if (direct.get() < 0) return std::nullopt;  // EINVAL: the file system has no O_DIRECT
  return DirectIo(std::move(direct));
}

ssize_t DirectIo::write(const Blocks& blocks, off_t offset, Backlog backlog) {
  began_ns_ = now_ns(CLOCK_MONOTONIC);
  const bool is_possible = fd_.get() >= 0 && offset == end_ && bytes_of(blocks) >= kWorthwhile && fits(blocks);
  taken_ = is_possible ? way_.choose(backlog, began_ns_) : DirectIoPolicy::cached;
  return taken_ == DirectIoPolicy::straight ? write_pages(blocks) : 0;
}

// Returns whether each block begins at the same place in a page of its memory as in a page of the file.
bool DirectIo::fits(const Blocks& blocks) const {
  auto offset = static_cast<uint64_t>(end_);
  for (const Block* block : blocks) {
    if (block->bytes != block->memory + offset % Block::kPage) return false;
    offset += block->used;
  }
  return true;
}

ssize_t DirectIo::write_pages(const Blocks& blocks) {
  const size_t before = static_cast<size_t>(end_) % Block::kPage;
  const uint8_t* last_page = last_page_.data();
  std::vector<iovec> pieces;
  for (Block* block : blocks) {
    // The page that the block shares with what comes before it is written with the block.
    const size_t shared = static_cast<size_t>(block->bytes - block->memory);
    memcpy(block->memory, last_page, shared);
    const size_t pages = (shared + block->used) / Block::kPage * Block::kPage;
    pieces.push_back({block->memory, pages});
    last_page = block->memory + pages;
  }
  const auto from = end_ - static_cast<off_t>(before);
  const ssize_t done = pwritev(fd_.get(), pieces.data(), static_cast<int>(pieces.size()), from);
  if (done >= 0) return std::max<ssize_t>(done - static_cast<ssize_t>(before), 0);
  if (errno != EINVAL && errno != EOPNOTSUPP) return -1;
  close(fd_.release());  // the file system has O_DIRECT for other files only, or for larger pages
  taken_ = DirectIoPolicy::cached;
  return 0;
}

void DirectIo::wrote(const Blocks& blocks) {
  const uint64_t now = now_ns(CLOCK_MONOTONIC);
  const size_t bytes = bytes_of(blocks);
  if (bytes >= kWorthwhile) way_.took(taken_, bytes, now - began_ns_, now);
  for (const Block* block : blocks) wrote(block->bytes, block->used);
}

void DirectIo::wrote(const uint8_t* bytes, size_t size) {
  end_ += static_cast<off_t>(size);
  const size_t in_last_page = static_cast<size_t>(end_) % Block::kPage;
  if (size >= in_last_page) {
    memcpy(last_page_.data(), bytes + size - in_last_page, in_last_page);
  } else {
    memcpy(last_page_.data() + in_last_page - size, bytes, size);
  }
}

}  // namespace dpcap
