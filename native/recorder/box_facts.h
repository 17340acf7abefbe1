// What a black box says of itself. The file is input from outside: it may be torn, cut, of another version, or made to
// mislead. Any thread.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "agent/box.h"

namespace dpcap {

struct BoxSegment {
  uint32_t index;
  uint64_t generation;
  uint64_t first_ns;
  uint64_t last_ns;
  uint32_t lane;
  uint32_t used;
  uint64_t packets;
};

struct BoxFacts {
  dpcap_box_header header;  // its texts are ended
  std::vector<dpcap_box_lane> lanes;
  std::vector<BoxSegment> segments;     // those with packets, the oldest first
  std::vector<std::string> interfaces;  // names of devices, by the number in the records
  uint32_t cut_off = 0;                 // segments that are not in the file, or not wholly
  uint32_t damaged = 0;                 // segments of which impossible things are said
  bool is_recording = false;            // the application lives
  uint64_t overwritten_until_ns = 0;    // all newer packets are there; 0: none was overwritten
  uint64_t packets() const;
  uint64_t first_ns() const;  // 0 when there is no packet
  // Of the newest packet, by the clock as it was set last.
  uint64_t last_ns() const;
};

// Reads a box. Throws ERR_RECORDER_FILE when it is none or does not agree with itself, ERR_VERSION_MISMATCH.
BoxFacts read_box(int fd);
// Whether the process that writes a box lives, also a box of another version, or one that does not agree with itself.
// Throws ERR_RECORDER_FILE when it is none at all.
bool is_box_held(int fd);
// Looks at one segment again: whether it still holds what it held.
bool is_unchanged(int fd, const BoxFacts& facts, const BoxSegment& segment);
// Reads `size` bytes at `offset`; returns how many there are.
size_t read_at(int fd, void* out, size_t size, uint64_t offset);

}  // namespace dpcap
