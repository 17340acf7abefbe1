// A span of whole records on its way into a file, and the memory of several.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

namespace dpcap {

struct Block {
  static constexpr size_t kStride = 1 << 20;  // from the memory of one to that of the next
  static constexpr size_t kPage = 4096;       // where a block may begin in its memory: see begin_at()
  static constexpr size_t kSlack = 64;        // at the end, for copies in whole vectors
  static constexpr size_t kBytes = kStride - kPage - kSlack;

  // Whose the records are, so that those which could not be written are counted where they belong.
  struct LaneRecords {
    uint16_t lane;
    uint32_t records;
  };

  uint8_t* memory = nullptr;  // whole pages
  uint8_t* bytes = nullptr;
  size_t used = 0;
  std::vector<LaneRecords> shares;
  Block* next = nullptr;  // of the free ones: see WriterThread

  void add_share(uint16_t lane, uint32_t records) {
    if (!shares.empty() && shares.back().lane == lane) {
      shares.back().records += records;
    } else {
      shares.push_back({lane, records});
    }
  }
  // To be written to this offset of a file: pages of the file are pages of the memory then, as DirectIo wants them.
  void begin_at(uint64_t offset) { bytes = memory + offset % kPage; }
  void clear() {
    used = 0;
    shares.clear();
  }
};

using Blocks = std::vector<Block*>;

inline size_t bytes_of(const Blocks& blocks) {
  size_t bytes = 0;
  for (const Block* block : blocks) bytes += block->used;
  return bytes;
}

// Empty blocks whose memory was touched: the first touch is slow, and not to be made while packets come in.
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
