// The options of pcapng's blocks, of both byte orders. Any thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dpcap {

// The blocks whose options are read: each numbers its own.
enum class OptionsOf { section, interface, packet };

struct PcapngOption {
  uint16_t code;
  uint16_t size;
  const uint8_t* bytes;
};

// Goes through the options in `size` bytes. Ends at the end of options, at the last whole one where they are damaged,
// and where there are none.
class PcapngOptions {
 public:
  PcapngOptions(const uint8_t* bytes, size_t size, bool is_swapped)
      : at_(bytes), left_(size), is_swapped_(is_swapped) {}
  bool next(PcapngOption* option);

 private:
  const uint8_t* at_;
  size_t left_;
  const bool is_swapped_;
};

// Adds an option as it goes into a file of this machine's byte order.
void keep_option(OptionsOf block, const PcapngOption& option, bool is_swapped, std::vector<uint8_t>* out);

// Options of a packet as keep_option() has made them: how many packets they say were lost before it, and the same with
// more of them.
uint64_t lost_before(const std::vector<uint8_t>& options);
void add_lost_before(uint64_t packets, std::vector<uint8_t>* options);

}  // namespace dpcap
