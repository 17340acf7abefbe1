// Reads pcapng: several sections, byte orders and interfaces; enhanced, simple and obsolete packet blocks.
// https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html
#pragma once
#include <string>
#include <vector>

#include "reader/format/packet_file.h"
#include "reader/format/pcapng_options.h"

namespace dpcap {

class PcapngFile : public PacketFile {
 public:
  // `known`: see packet_file().
  PcapngFile(Window& window, const std::vector<FileInterface>& known);

  static bool is_magic(uint32_t word);

  Next next(FilePacket* packet) override;
  bool read_head() override;
  const char* format() const override { return "pcapng"; }
  bool is_cut() const override { return skip_ > 0 || PacketFile::is_cut(); }
  bool may_tell_late() const override { return true; }
  void expect_no_interfaces() override { is_complete_ = true; }

 private:
  // What an interface of the present section is.
  struct Described {
    uint32_t interface;      // an index of interfaces()
    uint32_t snaplen;        // simple packet blocks are as long as this says
    uint8_t resolution = 6;  // of times: if_tsresol
    int64_t offset_s = 0;    // if_tsoffset
  };
  struct BlockHead {
    uint32_t type;
    uint32_t size;
  };

  Window::Has find_block(BlockHead* head);
  Window::Has skip();
  void read_section(const BlockHead& head);
  void read_interface(const BlockHead& head);
  uint32_t number_of(const FileInterface& interface);
  void read_packet(const BlockHead& head, FilePacket* packet) const;
  void read_timed(const BlockHead& head, FilePacket* packet) const;
  void read_simple(const BlockHead& head, FilePacket* packet) const;
  void set_bytes(const BlockHead& head, size_t at, FilePacket* packet) const;
  void keep_options(const BlockHead& head, size_t at, FilePacket* packet) const;
  const Described& described(uint32_t interface) const;
  uint32_t word(size_t at) const;
  uint16_t half_word(size_t at) const;
  std::string place() const;

  bool is_complete_;  // no interface may come that is not known
  bool has_section_ = false;
  bool is_swapped_ = false;
  std::vector<Described> described_;  // of the present section
  std::vector<bool> is_taken_;        // of interfaces(): whether one of the present section is it
  uint64_t skip_ = 0;                 // bytes that are still to be taken of the block that was read last
};

}  // namespace dpcap
