// The merge thread, "dpcap-merge": joins the records of several drain threads into one file, in the order of arrival.
// Everything here but add_queue(), start() and stop() runs on it.
//
// The expensive part is to take copies out of memory that another core wrote; records that lie one behind the other are
// copied in a third of the time. So one merge thread does this for several drain threads.
#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <thread>
#include <vector>

#include "base/thread.h"
#include "record/pcap_format.h"
#include "sink/record_queue.h"

namespace dpcap {

class MergeThread {
 public:
  // `file` is fed by the merge thread.
  MergeThread(const FileOptions& options, SinkCounters& counters, RecordSink& file);
  ~MergeThread() { stop(); }
  MergeThread(const MergeThread&) = delete;
  MergeThread& operator=(const MergeThread&) = delete;

  // Makes the queue of a drain thread. Called before start().
  RecordSink& add_queue();
  void start(Priority priority);
  // Takes what is left and ends the thread. Call it after the drain threads have ended. Idempotent.
  void stop();

 private:
  struct Input {
    RecordQueue* queue;
    uint64_t complete_ns = 0;
    const RecordSpan* span = nullptr;
    const uint8_t* record = nullptr;  // the next one; `records` are left of the span with it
    uint32_t records = 0;
    uint64_t arrival_ns = 0;  // of `record`, in steady time: the order is that of arrival, also when the clock is set
    // No record that arrived before this is still to come from here.
    uint64_t bound() const { return span == nullptr ? complete_ns : arrival_ns; }
  };

  void run();
  uint32_t round();
  void look(Input& input) const;
  uint64_t arrival_of(const Input& input) const;
  Input* first(uint64_t* horizon);
  uint32_t take(Input& input, uint64_t horizon);

  const FileOptions options_;
  SinkCounters& counters_;
  RecordSink& file_;
  std::deque<RecordQueue> queues_;
  std::vector<Input> inputs_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace dpcap
