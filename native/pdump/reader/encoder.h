// Turns copies into records of a file, one behind the other in a block. Runs on the drain thread.
#pragma once
#include <sys/uio.h>

#include "pdump/client.h"
#include "record/block.h"
#include "record/pcap_format.h"
#include "sink/sink.h"

namespace dpcap {

class Encoder {
 public:
  Encoder(const FileOptions& options, CopyMode mode);

  // Records packets of a burst, from `first` on, until the block is full or holds `goal` bytes. Returns how many.
  uint32_t fill(const Burst& burst, uint32_t first, size_t goal, Block& block) const {
    return fill_(options_, burst, first, goal, block);
  }
  // Makes a record without a copy: puts head and tail around the packet where it lies in its mbuf. Returns false when
  // there is no room for them, or the packet is in pieces.
  bool wrap(const Burst& burst, uint32_t index, iovec* record) const;

 private:
  using Fill = uint32_t (*)(const FileOptions&, const Burst&, uint32_t first, size_t goal, Block&);

  const FileOptions options_;
  const CopyMode mode_;
  const Fill fill_;
};

}  // namespace dpcap
