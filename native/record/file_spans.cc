#include "record/file_spans.h"

#include <algorithm>

#include "base/now.h"

namespace dpcap {
namespace {

// A span has as many packets as its file holds, and those that were lost in the meantime: what is on its way between
// the application and the file belongs to a later one.
SourceCounters losses_since(const SourceCounters& before, const SourceCounters& now) {
  SourceCounters losses;
  losses.nombuf = now.nombuf - std::min(now.nombuf, before.nombuf);
  losses.ringfull = now.ringfull - std::min(now.ringfull, before.ringfull);
  losses.contended = now.contended - std::min(now.contended, before.contended);
  losses.unread = now.unread - std::min(now.unread, before.unread);
  return losses;
}

void add(InterfaceTotals& to, const InterfaceTotals& more) {
  to.received += more.received;
  to.lost_in_primary += more.lost_in_primary;
  to.filter_accepted += more.filter_accepted;
  to.delivered += more.delivered;
}

// Never below 0: at the end, counters that are no longer to be trusted are left out.
uint64_t less(uint64_t all, uint64_t part) { return all - std::min(all, part); }

}  // namespace

void add_lane(InterfaceTotals& total, const SourceCounters& source, uint64_t written) {
  total.received += source.accepted + source.nombuf + source.contended + source.unread;
  total.lost_in_primary += source.nombuf + source.ringfull + source.contended + source.unread;
  total.filter_accepted += source.accepted + source.nombuf;
  total.delivered += written;
}

std::vector<uint8_t> FileSpans::end(const std::vector<uint64_t>& packets_by_lane,
                                    const std::vector<SourceCounters>& counted, uint64_t start_ns) {
  std::vector<InterfaceTotals> span(told_.size());
  for (size_t lane = 0; lane < packets_by_lane.size(); lane++) {
    SourceCounters source;
    if (!counted.empty()) {
      source = losses_since(lost_[lane], counted[lane]);
      lost_[lane] = counted[lane];
    }
    source.accepted = packets_by_lane[lane] + source.ringfull;
    add_lane(span[interface_of_[lane]], source, packets_by_lane[lane]);
  }
  for (size_t i = 0; i < span.size(); i++) add(told_[i], span[i]);
  const uint64_t begun_ns = ended_ns_ == 0 ? start_ns : ended_ns_;
  ended_ns_ = now_ns(CLOCK_REALTIME);
  return file_trailer(options_, span, begun_ns, ended_ns_);
}

std::vector<InterfaceTotals> FileSpans::rest(std::vector<InterfaceTotals> all) const {
  for (size_t i = 0; i < all.size(); i++) {
    all[i].received = less(all[i].received, told_[i].received);
    all[i].lost_in_primary = less(all[i].lost_in_primary, told_[i].lost_in_primary);
    all[i].filter_accepted = less(all[i].filter_accepted, told_[i].filter_accepted);
    all[i].delivered = less(all[i].delivered, told_[i].delivered);
  }
  return all;
}

}  // namespace dpcap
