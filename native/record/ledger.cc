#include "record/ledger.h"

#include <algorithm>

namespace dpcap {

Balance Ledger::balance(size_t lane, SourceCounters source, Trust trust, Reader reader) const {
  const Account& account = accounts_[lane];
  Balance balance;
  // What is lost is entered by another thread than what was recorded, and may be entered first.
  const uint64_t recorded = account.recorded, recorded_bytes = account.bytes;
  const uint64_t lost = std::min<uint64_t>(account.lost, recorded);
  const uint64_t lost_bytes = std::min<uint64_t>(account.lost_bytes, recorded_bytes);
  const uint64_t own = std::min<uint64_t>(account.own, recorded - lost);
  const uint64_t own_bytes = std::min<uint64_t>(account.own_bytes, recorded_bytes - lost_bytes);
  const uint64_t filtered = account.filtered + own;
  const uint64_t refused = account.refused + lost;
  balance.written = recorded - lost - own;
  balance.bytes = recorded_bytes - lost_bytes - own_bytes;
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
