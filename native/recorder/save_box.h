// Writes the packets of a black box into a file, in the order of time. Any thread.
#pragma once
#include <cstdint>
#include <string>

#include "record/pcap_format.h"
#include "recorder/box_lane_reader.h"
#include "sink/compress/compression.h"

namespace dpcap {

struct SaveRequest {
  FileFormat format;
  uint64_t since_ns;  // time of day; 0: all that is there
  FileInfo info;
  Compression compression{};
};

struct Saved {
  uint64_t packets = 0;
  uint64_t bytes = 0;  // of the packets
  uint64_t first_ns = 0;
  uint64_t last_ns = 0;
  uint64_t overwritten_until_ns = 0;  // newer packets are all there; 0: none was overwritten
  uint32_t cut_off = 0;               // segments that the file does not have
  BoxDamage damage;
  int failure = 0;  // errno of the output
};

// Takes `output` over. Of a box that is being written, the packets until now. Throws as read_box(), and ERR_NO_MEMORY.
Saved save_box(int box, int output, const SaveRequest& request);

}  // namespace dpcap
