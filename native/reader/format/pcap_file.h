// Reads pcap, in microseconds and nanoseconds, of both byte orders.
// https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html
#pragma once
#include "reader/format/packet_file.h"

namespace dpcap {

class PcapFile : public PacketFile {
 public:
  explicit PcapFile(Window& window) : PacketFile(window) {}

  // Whether a file that begins with this word, in this machine's byte order, is one.
  static bool is_magic(uint32_t word);

  Next next(FilePacket* packet) override;
  bool read_head() override;
  const char* format() const override { return "pcap"; }

 private:
  Window::Has begin();
  uint32_t word(size_t at) const;

  bool has_begun_ = false;
  bool is_swapped_ = false;
  bool is_nano_ = false;
  size_t last_bytes_ = 0;  // of the packet that was read last
};

}  // namespace dpcap
