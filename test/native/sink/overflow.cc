#include "sink/overflow.h"

#include <vector>

#include "books.h"
#include "tap.h"

using namespace dpcap;

namespace {

constexpr FileOptions kNg{FileFormat::pcapng, true, 262144};

std::vector<uint8_t> record(uint32_t caplen) {
  std::vector<uint8_t> bytes(record_size(kNg.format, caplen));
  const RecordHead head{1, caplen, caplen, 0, 0, Direction::rx};
  write_record_head(kNg, head, bytes.data());
  write_record_tail(kNg, head, bytes.data() + kEpbHeadBytes + caplen);
  return bytes;
}

// What the first record says was lost before it; 0 when it says nothing.
uint64_t lost_before(const std::vector<uint8_t>& bytes, uint32_t caplen) {
  const size_t extra = stored_record_size(kNg.format, bytes.data()) - record_size(kNg.format, caplen);
  uint64_t lost = 0;
  const uint8_t* const option = &bytes[record_size(kNg.format, caplen) - 8];
  const uint8_t head[4] = {4, 0, 8, 0};
  CHECK(extra == 0 || (extra == 12 && memcmp(option, head, sizeof head) == 0));
  if (extra == 12) memcpy(&lost, option + 4, sizeof lost);
  return lost;
}

// Two records, and room behind them.
struct Span {
  explicit Span(uint32_t caplen) : first(record(caplen)), second(record(99)) {
    bytes = first;
    bytes.insert(bytes.end(), second.begin(), second.end());
    size = static_cast<uint32_t>(bytes.size());
    bytes.resize(bytes.size() + EPB_OPTION_BYTES);
  }
  RecordSpan of(uint16_t lane) const { return {bytes.data(), size, 2, lane, 0}; }
  uint32_t mark(Overflow& overflow, uint16_t lane, size_t spare = EPB_OPTION_BYTES) {
    const uint32_t more = overflow.mark(of(lane), bytes.data(), spare);
    size += more;
    return more;
  }
  bool has_second() const { return memcmp(&bytes[size - second.size()], second.data(), second.size()) == 0; }

  std::vector<uint8_t> first, second, bytes;
  uint32_t size;
};

void gap_is_told() {
  for (const uint32_t caplen : {0u, 60u, 61u, 1514u}) {
    Books books(2);
    Overflow overflow(kNg.format, books.counters);
    Span span(caplen);
    CHECK(span.mark(overflow, 1) == 0);
    overflow.lose(span.of(1));
    overflow.lose(span.of(1));
    CHECK(books.ledger[1].lost == 4 && books.ledger[1].lost_bytes == 2 * (caplen + 99));
    CHECK(span.mark(overflow, 0) == 0);  // another lane
    CHECK(span.mark(overflow, 1, EPB_OPTION_BYTES - 1) == 0 && lost_before(span.bytes, caplen) == 0);
    CHECK(span.mark(overflow, 1) == EPB_OPTION_BYTES);  // the next one tells it
    CHECK(lost_before(span.bytes, caplen) == 4 && span.has_second());

    overflow.lose(span.of(1));  // where the packet's own way has lost some as well, the record says how many in all
    CHECK(span.mark(overflow, 1) == 0 && lost_before(span.bytes, caplen) == 6 && span.has_second());
    CHECK(span.mark(overflow, 1) == 0 && lost_before(span.bytes, caplen) == 6);
  }
}

void pcap_has_no_place_for_it() {
  Books books(1);
  Overflow overflow(FileFormat::pcap, books.counters);
  std::vector<uint8_t> bytes(kPcapHeadBytes + 60 + EPB_OPTION_BYTES);
  bytes[8] = bytes[12] = 60;
  const std::vector<uint8_t> before = bytes;
  const RecordSpan span{bytes.data(), kPcapHeadBytes + 60, 1, 0, 0};
  overflow.lose(span);
  CHECK(overflow.mark(span, bytes.data(), EPB_OPTION_BYTES) == 0 && bytes == before);
}

// The application's memory is input: lengths that cannot be are left as they are.
void damaged_records() {
  for (const uint32_t length : {0u, 4u, 7u, 8u, 27u, 28u, 51u, 111u, 1000u, UINT32_MAX}) {
    Books books(1);
    Overflow overflow(kNg.format, books.counters);
    Span span(60);
    memcpy(&span.bytes[4], &length, sizeof length);
    overflow.lose(span.of(0));
    const std::vector<uint8_t> before = span.bytes;
    CHECK(span.mark(overflow, 0) == 0 && span.bytes == before);
  }
}

}  // namespace

void test_overflow() {
  gap_is_told();
  pcap_has_no_place_for_it();
  damaged_records();
}
