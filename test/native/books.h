// The books of a capture, for sinks without one.
#pragma once
#include <utility>

#include "sink/sink.h"

struct Books {
  explicit Books(size_t lanes, dpcap::Notify on_failure = {})
      : ledger(lanes), counters(ledger, std::move(on_failure)) {}
  dpcap::Ledger ledger;
  dpcap::SinkCounters counters;
};
