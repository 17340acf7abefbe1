#include "record/ledger.h"

#include <algorithm>

namespace dpcap {

Balance Ledger::balance(size_t lane, SourceCounters source, Trust trust, Reader reader) const {
  const Account& account = accounts_[lane];
  Balance balance;
  // These are read before the figures that they are part of, which go on growing.
  const uint64_t lost = account.lost, lost_bytes = account.lost_bytes, filtered = account.filtered;
  const uint64_t refused = account.refused + lost;
  balance.written = account.recorded - lost;
  balance.bytes = account.bytes - lost_bytes;
  balance.sinkdrop = reader == Reader::wants ? refused : 0;
  balance.surplus = account.surplus + (reader == Reader::wants ? 0 : refused);
  // Where the filter runs in this process, the application accepts all.
  source.filtered += filtered;
  source.accepted -= std::min(source.accepted, filtered);
  if (trust == Trust::none) source.accepted = balance.written + source.ringfull + balance.sinkdrop + balance.surplus;
  balance.source = source;
  return balance;
}

}  // namespace dpcap
