// A file of packets that is read from its beginning to its end. Its content may have been made to mislead: every length
// in it is checked against what is there. One thread at a time.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "reader/input/window.h"

namespace dpcap {

// What packets of a file were captured on.
struct FileInterface {
  uint16_t link_type = 0;  // LINKTYPE_
  uint32_t snaplen = 0;    // 0: no limit
  std::string name;
  std::string description;
  std::string filter;  // the expression that packets had to match, empty for none
  // pcapng: all other options that make sense in another file, as they go into one of this machine's byte order.
  std::vector<uint8_t> options;

  bool operator==(const FileInterface& other) const {
    return link_type == other.link_type && snaplen == other.snaplen && name == other.name &&
           description == other.description && filter == other.filter && options == other.options;
  }
};

// A packet where it lies in the window: until the next one is read.
struct FilePacket {
  uint32_t interface;  // an index of interfaces()
  uint64_t time_ns;
  uint32_t caplen;
  uint32_t len;
  const uint8_t* bytes;
  std::vector<uint8_t> options;  // pcapng: as FileInterface's
};

class PacketFile {
 public:
  virtual ~PacketFile() = default;

  enum class Next {
    packet,
    not_yet,  // the input has not given all of it yet: ask again later
    end,
  };
  // Throws ERR_INPUT_FILE when what comes is no packet and no other block, and as Window::need(). After that, and after
  // the end, nothing more can be asked for.
  virtual Next next(FilePacket* packet) = 0;
  // Reads what comes before the first packet, so that interfaces() has what is told there. Returns false when the input
  // has not given all of it yet. Throws as next().
  virtual bool read_head() = 0;

  const std::vector<FileInterface>& interfaces() const { return interfaces_; }
  const std::string& comment() const { return comment_; }
  virtual const char* format() const = 0;  // for people
  // After the end: the file ends in the middle of a packet, or of what it is packed in.
  virtual bool is_cut() const { return window_.size() > 0 || window_.is_cut(); }
  // Whether interfaces may be told of behind packets.
  virtual bool may_tell_late() const { return false; }
  // From now on, an interface that is not among interfaces() is an error: the head of what is written has been written.
  virtual void expect_no_interfaces() {}

  // The most bytes of packet that a record may have, as with libpcap.
  static constexpr uint32_t kMostPacketBytes = 262144;
  // The most options of a packet that are kept, in bytes.
  static constexpr size_t kMostOptionBytes = 256 * 1024;

 protected:
  explicit PacketFile(Window& window) : window_(window) {}

  Window& window_;
  std::vector<FileInterface> interfaces_;
  std::string comment_;
};

// The number of bytes by which a format is recognised.
constexpr size_t kFormatBytes = 4;
// The reader for what begins with the bytes in the window, at least kFormatBytes. `known`: the interfaces of a file
// that was read once already; none may come that is not among them. Throws ERR_INPUT_FILE when it is no file of
// packets.
std::unique_ptr<PacketFile> packet_file(Window& window, const std::vector<FileInterface>& known);

}  // namespace dpcap
