// Statistics of files that follow one another: each has its own, and together they are those of the capture.
#include "record/file_spans.h"

#include <cstring>

#include "tap.h"

using namespace dpcap;

namespace {

constexpr uint64_t kStart = 1'700'000'000'000'000'000;

// The counters in the first statistics block of a trailer, whose options have a fixed order.
struct Told {
  uint64_t received, dropped, accepted, delivered;
};
Told told_in(const std::vector<uint8_t>& trailer) {
  constexpr size_t kFirstOption = 20 + 2 * 12;  // behind the head, and both times
  Told told;
  uint64_t* const values[] = {&told.received, &told.dropped, &told.accepted, &told.delivered};
  for (size_t i = 0; i < 4; i++) memcpy(values[i], &trailer[kFirstOption + 12 * i + 4], sizeof(uint64_t));
  return told;
}

SourceCounters lost(uint64_t nombuf, uint64_t ringfull) {
  SourceCounters counters;
  counters.nombuf = nombuf;
  counters.ringfull = ringfull;
  return counters;
}

void sums_are_those_of_the_capture() {
  FileSpans spans({FileFormat::pcapng, true, 262144}, {0, 0, 1}, 2);
  CHECK(spans.ended_ns() == 0);
  const Told first = told_in(spans.end({10, 20, 5}, {lost(1, 0), lost(0, 2), lost(0, 0)}, kStart));
  CHECK(first.delivered == 30 && first.dropped == 3 && first.received == 33 && first.accepted == 33);
  CHECK(spans.ended_ns() > kStart);
  const Told second = told_in(spans.end({1, 0, 0}, {lost(1, 4), lost(0, 2), lost(0, 0)}, kStart));
  CHECK(second.delivered == 1 && second.dropped == 4 && second.received == 5);
  const std::vector<InterfaceTotals> rest =
      spans.rest({{.received = 50, .lost_in_primary = 8, .filter_accepted = 49, .delivered = 40},
                  {.received = 5, .lost_in_primary = 0, .filter_accepted = 5, .delivered = 5}});
  CHECK(rest[0].received == 50 - 38 && rest[0].lost_in_primary == 1 && rest[0].delivered == 9);
  CHECK(rest[1].received == 0 && rest[1].delivered == 0);
}

// What could not be read is told with a later file; and what is no longer to be trusted never makes less than nothing.
void counters_that_are_missing() {
  FileSpans spans({FileFormat::pcapng, true, 262144}, {0}, 1);
  CHECK(told_in(spans.end({10}, {}, kStart)).dropped == 0);
  CHECK(told_in(spans.end({10}, {lost(7, 0)}, kStart)).dropped == 7);
  CHECK(told_in(spans.end({10}, {lost(0, 0)}, kStart)).dropped == 0);
  CHECK(spans.rest({{.received = 3, .lost_in_primary = 3, .filter_accepted = 3, .delivered = 30}})[0].received == 0);
}

void pcap_has_none() {
  FileSpans spans({FileFormat::pcap, true, 262144}, {0}, 1);
  CHECK(spans.end({10}, {lost(7, 0)}, kStart).empty());
}

}  // namespace

void test_file_spans() {
  sums_are_those_of_the_capture();
  counters_that_are_missing();
  pcap_has_none();
}
