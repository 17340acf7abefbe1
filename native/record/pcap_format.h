// The bytes of pcap and pcapng: file headers, packet records, the closing statistics. Any thread.
//
// pcap: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html
// pcapng: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/direction.h"

namespace dpcap {

enum class FileFormat { pcap, pcapng };

struct FileOptions {
  FileFormat format;
  bool nanoseconds;  // precision of timestamps; otherwise microseconds
  uint32_t snaplen;
};

// One captured port, for pcapng's interface blocks. `interface` numbers in records index this list.
struct InterfaceInfo {
  std::string name;
  std::string description;
  std::string filter;              // expression text, empty for none
  uint32_t snaplen = 0;            // bytes of its packets; 0: that of the file
  uint16_t link_type = 1;          // LINKTYPE_, Ethernet unless the packets are those of a file
  std::vector<uint8_t> options{};  // further options of pcapng, as they go into the file
};

struct FileInfo {
  std::string application;  // "dpcap 0.1.0 (DPDK 22.11.11)"
  std::string operating_system;
  std::vector<std::string> comments;  // the user's, and ours: e.g. which clock stamped the packets
  bool has_statistics = true;         // the file ends with those of this capture
};

// All of a packet's record except the packet's bytes.
struct RecordHead {
  uint64_t timestamp_ns;
  uint32_t caplen;
  uint32_t len;
  uint32_t interface;
  uint32_t queue;
  Direction direction;
  uint32_t offload_flags = 0;  // pcapng: what epb_flags says beside the direction
};

// The closing statistics of one interface.
struct InterfaceTotals {
  uint64_t received;         // packets that the filter accepted, or that were lost before it or for want of an mbuf
  uint64_t lost_in_primary;  // nombuf, ringfull, contended and unread
  uint64_t filter_accepted;
  uint64_t delivered;  // written to the file
};

std::vector<uint8_t> file_header(const FileOptions& options, const FileInfo& info,
                                 const std::vector<InterfaceInfo>& interfaces);
// Returns nothing for pcap, which has no place for statistics.
std::vector<uint8_t> file_trailer(const FileOptions& options, const std::vector<InterfaceTotals>& totals,
                                  uint64_t start_ns, uint64_t end_ns);

// Bytes of a record with `caplen` bytes of packet.
inline size_t record_size(FileFormat format, uint32_t caplen);
// Writes the part of a record before the packet's bytes; returns its size.
inline size_t write_record_head(const FileOptions& options, const RecordHead& head, uint8_t* out);
// Writes the part after them (padding, options, block length); returns its size. `out` is behind the packet's last
// byte.
inline size_t write_record_tail(const FileOptions& options, const RecordHead& head, uint8_t* out);
// The size of the record that begins at `record`, read back from its own length field.
inline size_t stored_record_size(FileFormat format, const uint8_t* record);
// The number of packet bytes in that record.
inline uint32_t stored_caplen(FileFormat format, const uint8_t* record);
// The packet's length on the wire, in that record.
inline uint32_t stored_len(FileFormat format, const uint8_t* record);
// The size of a record in memory that may hold anything, of which `left` bytes are there; 0 when no whole record is.
inline size_t whole_record_size(FileFormat format, const uint8_t* record, size_t left);
// The timestamp of that record, in the precision of the file.
inline uint64_t stored_time_ns(const FileOptions& options, const uint8_t* record);

}  // namespace dpcap

#include "record/pcap_format_inline.h"
