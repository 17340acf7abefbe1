#include "record/pcap_format.h"

#include <cstring>

#include "tap.h"

using namespace dpcap;

namespace {

uint32_t word(const std::vector<uint8_t>& bytes, size_t at) {
  uint32_t value;
  memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

std::vector<uint8_t> record(const FileOptions& options, const RecordHead& head) {
  std::vector<uint8_t> out(record_size(options.format, head.caplen), 0xee);
  size_t at = write_record_head(options, head, out.data());
  memset(out.data() + at, 0x42, head.caplen);
  at += head.caplen;
  at += write_record_tail(options, head, out.data() + at);
  CHECK(at == out.size());
  CHECK(stored_record_size(options.format, out.data()) == out.size());
  return out;
}

}  // namespace

void test_pcap_format() {
  const FileOptions pcap{FileFormat::pcap, true, 96};
  const FileOptions micro{FileFormat::pcap, false, 96};
  const FileOptions pcapng{FileFormat::pcapng, true, 96};

  const auto header = file_header(pcap, {}, {});
  CHECK(header.size() == 24 && word(header, 0) == 0xa1b23c4d && word(header, 16) == 96 && word(header, 20) == 1);
  CHECK(word(file_header(micro, {}, {}), 0) == 0xa1b2c3d4);
  CHECK(file_trailer(pcap, {{}}, 0, 0).empty());

  const RecordHead head{1'500'000'123'456'789, 5, 60, 1, 7, Direction::tx};
  const auto nano = record(pcap, head);
  CHECK(word(nano, 0) == 1500000 && word(nano, 4) == 123456789 && word(nano, 8) == 5 && word(nano, 12) == 60);
  CHECK(word(record(micro, head), 4) == 123456);

  const auto block = record(pcapng, head);
  CHECK(block.size() % 4 == 0 && word(block, 0) == 6 && word(block, 8) == 1);
  CHECK((static_cast<uint64_t>(word(block, 12)) << 32 | word(block, 16)) == head.timestamp_ns);
  CHECK(word(block, 28 + 8) == (2u | 4u << 16) && word(block, 28 + 12) == 2);   // epb_flags: outbound
  CHECK(word(block, 28 + 16) == (6u | 4u << 16) && word(block, 28 + 20) == 7);  // epb_queue
  CHECK(word(block, block.size() - 4) == block.size());
  for (uint32_t caplen = 0; caplen < 9; caplen++) record(pcapng, {0, caplen, caplen, 0, 0, Direction::rx});

  // Blocks of the header and the trailer tile it exactly.
  const auto ng = file_header(pcapng, {"app", "os", {"a comment", "another"}}, {{"a", "one", "tcp"}, {"bb", "", ""}});
  const auto trailer = file_trailer(pcapng, {{10, 1, 10, 9}, {}}, 1, 2);
  for (const auto& bytes : {ng, trailer}) {
    size_t at = 0;
    while (at < bytes.size() && word(bytes, at + 4) != 0) at += word(bytes, at + 4);
    CHECK(at == bytes.size());
  }
}
