// Turns copies into records of a file, one behind the other. Runs on the drain thread.
#pragma once
#include <sys/uio.h>

#include <algorithm>

#include "mbuf/burst.h"
#include "mbuf/copy_mode.h"
#include "record/pcap_format.h"
#include "sink/sink.h"

namespace dpcap {

class Encoder {
 public:
  Encoder(const FileOptions& options, CopyMode mode);

  struct Filled {
    uint32_t packets = 0;
    size_t size = 0;     // of their records
    uint64_t bytes = 0;  // of packet
  };
  // Records packets of a burst, from `first` on, until the room is full or holds its goal.
  Filled fill(const Burst& burst, uint32_t first, const Room& room) const {
    return fill_(options_, burst, first, room);
  }
  // Makes a record without a copy: puts head and tail around the packet where it lies in its mbuf. Returns the bytes of
  // packet in it; 0 when there is no room for them, or the packet is in pieces.
  uint32_t wrap(const Burst& burst, uint32_t index, iovec* record) const;
  // Has a finished record say how many packets were lost in front of it. Returns by how much it has grown.
  size_t tell_lost(uint8_t* record, uint64_t packets) const;
  // Returns how large the record of a packet may be, with all that it may say.
  size_t most_size(const Burst& burst, uint32_t index) const;
  // Returns how many bytes of a packet are recorded, tags that are not in its data left out.
  uint32_t recorded_bytes(const Burst& burst, uint32_t index) const;

 private:
  uint32_t snaplen_of(const Burst& burst) const { return std::min(options_.snaplen, burst.lane.rule.snaplen); }

  using Fill = Filled (*)(const FileOptions&, const Burst&, uint32_t first, const Room&);

  const FileOptions options_;
  const CopyMode mode_;
  const Fill fill_;
};

}  // namespace dpcap
