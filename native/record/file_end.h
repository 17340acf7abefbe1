// What is to be written, and told, when a file of a capture ends. Any thread.
#pragma once
#include <cstdint>
#include <vector>

namespace dpcap {

struct FileEnd {
  std::vector<uint8_t> trailer;
  uint64_t begin_ns = 0;  // when the file began, CLOCK_REALTIME; nobody asks when the capture has one file
};

}  // namespace dpcap
