#include "record/ledger.h"

#include "tap.h"

using namespace dpcap;

namespace {

using Trust = Ledger::Trust;
using Reader = Ledger::Reader;

// 100 accepted: 3 found the ring full, 80 were recorded, of which the sink lost 5; 10 refused, 4 surplus, 3 on their
// way.
void fill(Ledger& ledger) {
  ledger[1].recorded.add(80);
  ledger[1].bytes.add(8000);
  ledger[1].refused.add(10);
  ledger[1].surplus.add(4);
  ledger[1].lose(5, 500);
}

void each_cause_by_its_name() {
  Ledger ledger(2);
  fill(ledger);
  const Balance balance = ledger.balance(1, {100, 7, 2, 3}, Trust::full, Reader::wants);
  CHECK(balance.source.accepted == 100 && balance.source.filtered == 7 && balance.source.nombuf == 2);
  CHECK(balance.written == 75 && balance.bytes == 7500 && balance.sinkdrop == 15 && balance.surplus == 4);
  CHECK(balance.on_their_way() == 3);
  CHECK(ledger.balance(0, {}, Trust::full, Reader::wants).written == 0);
}

// What comes after the reader left is no loss.
void reader_left() {
  Ledger ledger(2);
  fill(ledger);
  const Balance balance = ledger.balance(1, {100, 0, 0, 3}, Trust::full, Reader::has_left);
  CHECK(balance.sinkdrop == 0 && balance.surplus == 19 && balance.on_their_way() == 3);
}

void counters_without_trust() {
  Ledger ledger(2);
  fill(ledger);
  const Balance balance = ledger.balance(1, {12345, 0, 0, 3}, Trust::none, Reader::wants);
  CHECK(balance.source.accepted == 97 && balance.on_their_way() == 0);
}

// Where the filter runs here, the application accepts what the filter does not select.
void filtered_here() {
  Ledger ledger(1);
  ledger[0].filtered.add(40);
  ledger[0].recorded.add(60);
  CHECK(ledger[0].settled() == 100);
  const Balance balance = ledger.balance(0, {100, 0, 0, 0}, Trust::full, Reader::wants);
  CHECK(balance.source.accepted == 60 && balance.source.filtered == 40 && balance.on_their_way() == 0);
}

// What a sink had sent itself was never to be captured.
void own_packets() {
  Ledger ledger(1);
  ledger[0].recorded.add(60);
  ledger[0].bytes.add(6000);
  ledger[0].lose(5, 500);
  ledger[0].leave_out(20, 2000);
  const Balance balance = ledger.balance(0, {60, 3, 0, 0}, Trust::full, Reader::wants);
  CHECK(balance.source.accepted == 40 && balance.source.filtered == 23);
  CHECK(balance.written == 35 && balance.bytes == 3500 && balance.sinkdrop == 5 && balance.on_their_way() == 0);
}

// The thread that loses packets may enter that before the one that handed them over has entered them.
void lost_before_recorded() {
  Ledger ledger(1);
  ledger[0].lose(32, 3200);
  const Balance balance = ledger.balance(0, {32, 0, 0, 0}, Trust::full, Reader::wants);
  CHECK(balance.written == 0 && balance.bytes == 0 && balance.sinkdrop == 0 && balance.on_their_way() == 32);
}

}  // namespace

void test_ledger() {
  lost_before_recorded();
  each_cause_by_its_name();
  reader_left();
  counters_without_trust();
  filtered_here();
  own_packets();
}
