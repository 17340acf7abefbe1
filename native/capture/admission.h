// Decides how many of the packets that a poller found go to its sink, and enters in the ledger what became of all of
// them. Runs on the drain thread; each has its own.
#pragma once
#include <cstdint>

#include "capture/limit.h"
#include "record/lane.h"
#include "record/ledger.h"
#include "sink/sink.h"

namespace dpcap {

// What a sink took of the packets that were admitted.
struct Written {
  uint32_t packets = 0;
  uint64_t bytes = 0;  // of packet
};

class Admission {
 public:
  // `ledger` and `limit` are the capture's.
  Admission(Ledger& ledger, Limit& limit, Sink& sink) : ledger_(ledger), limit_(limit), sink_(sink) {}

  // Returns how many of the next `count` packets of a lane the sink may have. The others are accounted for.
  uint32_t admit(const Lane& lane, uint32_t count);
  // Notes what the sink took of so many admitted packets.
  void recorded(const Lane& lane, uint32_t admitted, const Written& written);
  // Whether packets are still recorded: no limit was reached, and the sink has not failed.
  bool is_open() const { return !limit_.is_reached() && sink_.counters().failure() == 0; }
  // Notes packets that the filter did not select.
  void filtered(const Lane& lane, uint32_t count) { ledger_[lane.index].filtered.add(count); }

 private:
  Ledger& ledger_;
  Limit& limit_;
  Sink& sink_;
};

}  // namespace dpcap
