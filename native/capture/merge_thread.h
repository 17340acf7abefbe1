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

#include "capture/record_queue.h"
#include "sink/file_sink.h"

namespace dpcap {

class MergeThread {
 public:
  // `file` is fed by the merging thread.
  MergeThread(const FileOptions& options, CopyMode mode, SinkCounters& counters, FileSink& file);
  ~MergeThread() { stop(); }
  MergeThread(const MergeThread&) = delete;
  MergeThread& operator=(const MergeThread&) = delete;

  // For a drain thread. Before start().
  Sink& add_queue();
  // `high_priority`: as Drain::start().
  void start(bool high_priority);
  // Takes what is left and ends the thread. Call after those that drain have ended. Idempotent.
  void stop();

 private:
  struct Input {
    RecordQueue* queue;
    uint64_t complete_ns = 0;
    const RecordSpan* span = nullptr;
    const uint8_t* record = nullptr;  // the next one, and what is left of the span with it
    uint32_t records = 0;
    uint64_t arrival_ns = 0;  // its own, in steady time: the order is that of arrival, also when the clock is set
    // No record is still to come from here that arrived before.
    uint64_t bound() const { return span == nullptr ? complete_ns : arrival_ns; }
  };

  void run();
  uint32_t round();
  void look(Input& input) const;
  uint64_t arrival_of(const Input& input) const;
  Input* first(uint64_t* horizon);
  uint32_t take(Input& input, uint64_t horizon);

  const FileOptions options_;
  const CopyMode mode_;
  SinkCounters& counters_;
  FileSink& file_;
  std::deque<RecordQueue> queues_;
  std::vector<Input> inputs_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace dpcap
