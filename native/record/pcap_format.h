// The bytes of pcap and pcapng: file headers, packet records, the closing statistics.
//
// pcap: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html
// pcapng: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "pdump/client.h"

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
  std::string filter;  // expression text, empty for none
};

struct FileInfo {
  std::string application;  // "dpcap 0.1.0 (DPDK 22.11.11)"
  std::string operating_system;
  std::string comment;  // e.g. which clock stamped the packets
};

// Everything of a packet's record but its bytes.
struct RecordHead {
  uint64_t timestamp_ns;
  uint32_t caplen;
  uint32_t len;
  uint32_t interface;
  uint32_t queue;
  Direction direction;
};

// Closing figures of one interface.
struct InterfaceTotals {
  uint64_t received;         // accepted by the filter or lost for want of an mbuf
  uint64_t lost_in_primary;  // nombuf + ringfull
  uint64_t filter_accepted;
  uint64_t delivered;  // written to the file
};

std::vector<uint8_t> file_header(const FileOptions& options, const FileInfo& info,
                                 const std::vector<InterfaceInfo>& interfaces);
// Empty for pcap, which has no place for it.
std::vector<uint8_t> file_trailer(const FileOptions& options, const std::vector<InterfaceTotals>& totals,
                                  uint64_t start_ns, uint64_t end_ns);

// Bytes of a record with `caplen` bytes of packet.
inline size_t record_size(FileFormat format, uint32_t caplen);
// Writes what comes before the packet's bytes; returns its size.
inline size_t write_record_head(const FileOptions& options, const RecordHead& head, uint8_t* out);
// Writes what comes after them (padding, options, block length); returns its size. `out` is behind the last byte.
inline size_t write_record_tail(const FileOptions& options, const RecordHead& head, uint8_t* out);
// Size of the record that begins at `record`, read back from its own length field.
inline size_t stored_record_size(FileFormat format, const uint8_t* record);
// How many bytes of the packet it has.
inline uint32_t stored_caplen(FileFormat format, const uint8_t* record);
// Its timestamp, as exact as the file has it.
inline uint64_t stored_time_ns(const FileOptions& options, const uint8_t* record);

}  // namespace dpcap

#include "record/pcap_format_inline.h"
