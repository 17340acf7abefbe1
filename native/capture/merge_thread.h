// Several drain threads' records into one file, in the order of arrival.
//
// Taking copies out of memory that another core wrote is what costs; records that lie one behind the other are copied
// in a third of the time. So one thread, "dpcap-merge", does this for several that drain.
#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <thread>
#include <vector>

#include "sink/file_sink.h"
#include "capture/record_queue.h"

namespace dpcap {

class Merge {
 public:
  // `file` is fed by the merging thread.
  Merge(const FileOptions& options, CopyMode mode, SinkFigures& figures, FileSink& file);
  ~Merge() { stop(); }
  Merge(const Merge&) = delete;
  Merge& operator=(const Merge&) = delete;

  // For a drain thread. Before start().
  Sink& add_strand();
  // `comes_first`: as Drain::start().
  void start(bool comes_first);
  // Takes what is left and ends the thread. Call after those that drain have ended. Idempotent.
  void stop();

 private:
  struct Input {
    Strand* strand;
    uint64_t complete_ns = 0;
    const Stretch* stretch = nullptr;
    const uint8_t* record = nullptr;  // the next one, and what is left of the stretch with it
    uint32_t records = 0;
    uint64_t arrival_ns = 0;  // its own, in steady time: the order is that of arrival, also when the clock is set
    // No record is still to come from here that arrived before.
    uint64_t bound() const { return stretch == nullptr ? complete_ns : arrival_ns; }
  };

  void run();
  uint32_t round();
  void look(Input& input) const;
  uint64_t arrival_of(const Input& input) const;
  Input* first(uint64_t* horizon);
  uint32_t take(Input& input, uint64_t horizon);

  const FileOptions options_;
  const CopyMode mode_;
  SinkFigures& figures_;
  FileSink& file_;
  std::deque<Strand> strands_;
  std::vector<Input> inputs_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace dpcap
