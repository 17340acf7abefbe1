// Blocks: spans of whole records on their way into a file, and the memory of several blocks. The owner of a block
// (WriterThread, RecordQueue) says which thread uses it.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "record/file_end.h"

namespace dpcap {

struct Block {
  static constexpr size_t kStride = 1 << 20;  // bytes from the memory of one block to that of the next
  static constexpr size_t kPage = 4096;       // the records begin within the first page: see begin_at()
  static constexpr size_t kSlack = 64;        // bytes at the end, for copies in whole vectors
  static constexpr size_t kBytes = kStride - kPage - kSlack;

  // Consecutive records of one lane, so that records that could not be written are counted for their lane.
  struct LaneRecords {
    uint16_t lane;
    uint32_t records;
  };

  uint8_t* memory = nullptr;  // whole pages
  uint8_t* bytes = nullptr;
  size_t used = 0;
  std::vector<LaneRecords> shares;
  std::unique_ptr<FileEnd> file_end;  // with this block a file ends; it may be empty otherwise
  Block* next = nullptr;              // the next free block: see WriterThread

  void add_share(uint16_t lane, uint32_t records) {
    if (!shares.empty() && shares.back().lane == lane) {
      shares.back().records += records;
    } else {
      shares.push_back({lane, records});
    }
  }
  // Prepares the block for this offset of a file: pages of the file are then pages of the memory, as DirectIo needs
  // them.
  void begin_at(uint64_t offset) { bytes = memory + offset % kPage; }
  void clear() {
    used = 0;
    shares.clear();
    file_end.reset();
  }
};

using Blocks = std::vector<Block*>;

inline size_t bytes_of(const Blocks& blocks) {
  size_t bytes = 0;
  for (const Block* block : blocks) bytes += block->used;
  return bytes;
}

// Empty blocks whose memory has been touched: the first touch is slow, and must not happen while packets come in.
class BlockArena {
 public:
  explicit BlockArena(size_t blocks);

  size_t size() const { return blocks_.size(); }
  Block& operator[](size_t index) { return blocks_[index]; }
  auto begin() { return blocks_.begin(); }
  auto end() { return blocks_.end(); }

 private:
  struct Free {
    void operator()(uint8_t* memory) const { free(memory); }
  };

  const std::unique_ptr<uint8_t, Free> memory_;
  std::vector<Block> blocks_;
};

}  // namespace dpcap
