// The functions of pcap_format.h that are called for each packet. pcap_format.h includes this file. Any thread.
#pragma once
#include <cstring>

namespace dpcap {

constexpr size_t kPcapHeadBytes = 16;
constexpr size_t kEpbHeadBytes = 28;
constexpr size_t kEpbTailBytes = 8 + 8 + 4 + 4;  // flags, queue, end of options, length
constexpr uint32_t kNsPerSecond = 1000000000;

constexpr size_t padded(size_t size) { return (size + 3) & ~size_t{3}; }

inline uint64_t in_units(const FileOptions& options, uint64_t ns) { return options.nanoseconds ? ns : ns / 1000; }

inline size_t record_size(FileFormat format, uint32_t caplen) {
  return format == FileFormat::pcap ? kPcapHeadBytes + caplen : kEpbHeadBytes + padded(caplen) + kEpbTailBytes;
}

inline size_t write_record_head(const FileOptions& options, const RecordHead& head, uint8_t* out) {
  if (options.format == FileFormat::pcap) {
    const uint32_t fraction = static_cast<uint32_t>(head.timestamp_ns % kNsPerSecond);
    const uint32_t words[4] = {static_cast<uint32_t>(head.timestamp_ns / kNsPerSecond),
                               options.nanoseconds ? fraction : fraction / 1000, head.caplen, head.len};
    memcpy(out, words, sizeof words);
    return sizeof words;
  }
  constexpr uint32_t kPacketBlock = 6;
  const uint64_t units = in_units(options, head.timestamp_ns);
  const uint32_t words[7] = {kPacketBlock,
                             static_cast<uint32_t>(record_size(options.format, head.caplen)),
                             head.interface,
                             static_cast<uint32_t>(units >> 32),
                             static_cast<uint32_t>(units),
                             head.caplen,
                             head.len};
  memcpy(out, words, sizeof words);
  return sizeof words;
}

inline size_t write_record_tail(const FileOptions& options, const RecordHead& head, uint8_t* out) {
  if (options.format == FileFormat::pcap) return 0;
  constexpr uint32_t kFlags = 2 | 4u << 16;  // option code and length
  constexpr uint32_t kQueue = 6 | 4u << 16;
  const size_t padding = padded(head.caplen) - head.caplen;
  memset(out, 0, padding);
  const uint32_t words[6] = {
      kFlags,
      static_cast<uint32_t>(head.direction) | head.offload_flags,  // inbound is 1, outbound 2: as in pdump
      kQueue,
      head.queue,
      0,  // end of options
      static_cast<uint32_t>(record_size(options.format, head.caplen)),
  };
  memcpy(out + padding, words, sizeof words);
  return padding + sizeof words;
}

inline size_t stored_record_size(FileFormat format, const uint8_t* record) {
  uint32_t value;
  memcpy(&value, record + (format == FileFormat::pcap ? 8 : 4), sizeof value);
  return format == FileFormat::pcap ? kPcapHeadBytes + value : value;
}

inline uint32_t stored_caplen(FileFormat format, const uint8_t* record) {
  uint32_t caplen;
  memcpy(&caplen, record + (format == FileFormat::pcap ? 8 : 20), sizeof caplen);
  return caplen;
}

inline uint32_t stored_len(FileFormat format, const uint8_t* record) {
  uint32_t len;
  memcpy(&len, record + (format == FileFormat::pcap ? 12 : 24), sizeof len);
  return len;
}

inline size_t whole_record_size(FileFormat format, const uint8_t* record, size_t left) {
  if (left < (format == FileFormat::pcap ? kPcapHeadBytes : kEpbHeadBytes)) return 0;
  const size_t size = stored_record_size(format, record);
  return size <= left && stored_caplen(format, record) < size ? size : 0;
}

inline uint64_t stored_time_ns(const FileOptions& options, const uint8_t* record) {
  uint32_t words[2];
  memcpy(words, record + (options.format == FileFormat::pcap ? 0 : 12), sizeof words);
  const uint64_t unit_ns = options.nanoseconds ? 1 : 1000;
  if (options.format == FileFormat::pcap) return uint64_t{words[0]} * kNsPerSecond + words[1] * unit_ns;
  return (uint64_t{words[0]} << 32 | words[1]) * unit_ns;
}

}  // namespace dpcap
