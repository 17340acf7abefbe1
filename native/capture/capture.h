// A capture: a source, a sink, the ledger between them, and the threads that carry packets from one to the other.
//
//   Capture(plan, source)   takes the output over
//   prepare()       has the source make what it needs, and makes the drains: all inert
//   enable()        puts the copying in place, and lets packets flow
//   grow(), watch(), settle()   while packets flow
//   disable()       ends the copying; from here nothing new begins
//   -- the caller waits until no thread of the application can still be inside a callback --
//   finish()        takes what is left, closes the file
//   free()          gives everything back, unless something may still be in use
//
// One call at a time, on any thread. During grow() and settle(), stats(), watch() and flush() may be called, one at a
// time; abandon() always.
#pragma once
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/notify.h"
#include "capture/drain.h"
#include "capture/limit.h"
#include "capture/merge_thread.h"
#include "capture/plan.h"
#include "capture/source.h"
#include "capture/stats.h"
#include "record/file_spans.h"
#include "record/ledger.h"
#include "sink/rotation/file_supply.h"
#include "sink/sink.h"

namespace dpcap {

class Capture {
 public:
  // `notify`: called when a limit was reached or a sink failed; stats() tells which.
  Capture(const CapturePlan& plan, std::unique_ptr<Source> source, const Notify& notify);
  // Leaves what free() has not freed where it is.
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  // Throws as Source::prepare(); disable() and finish() must be called even then.
  void prepare();
  // Throws as Source::enable(); disable() and finish() must be called as always.
  void enable();
  // See Source.
  bool grow(uint32_t pieces, uint32_t up_to);
  void watch() { source_->watch(); }
  // What was captured until now goes to the output without waiting for more.
  void flush();
  std::vector<std::string> settle() { return source_->settle(); }
  std::vector<std::string> disable(Primary primary);
  void abandon() { source_->abandon(); }
  // Where the files come from, for a plan with a rotation; nullptr for others. May be used always.
  FileSupply* files() { return supply_ ? &*supply_ : nullptr; }

  // What the caller knows of the application when it calls finish().
  enum class Quiet {
    confirmed,    // it lives, and is out of the callbacks
    unconfirmed,  // packets that it counted may not have arrived
  };
  // Takes what is left, and closes the output.
  void finish(Quiet quiet);
  // Gives back what the capture has in an application that lives and is out of the callbacks. Called after finish().
  // Returns whether all was freed.
  bool free();

  CaptureStats stats() const;

 private:
  void make_sinks();
  void make_file();
  std::vector<uint8_t> end_span(const std::vector<uint64_t>& packets_by_lane);
  std::vector<uint8_t> trailer() const;
  void make_drains();
  void start_threads();
  Priority priority() const { return plan_.cpus.empty() ? Priority::normal : Priority::high; }
  LaneStats stats_of(const Lane& lane) const;
  SourceCounters counted_for(const Lane& lane) const;
  std::vector<InterfaceTotals> totals(const CaptureStats& stats) const;

  const CapturePlan plan_;
  const std::unique_ptr<Source> source_;
  std::atomic<uint64_t> started_ns_{0};
  std::deque<Lane> lanes_;
  bool is_unconfirmed_ = false;  // the application is gone, or did not confirm the end
  bool primary_gone_ = false;
  Limit limit_;
  Ledger ledger_;
  SinkCounters counters_;
  std::optional<FileSupply> supply_;
  FileSpans spans_;
  // Held to read the source's counters, which one thread may do at a time.
  mutable std::mutex reading_;
  // One of these is the output: a file, or the queues of an interface, one for each drain thread.
  std::unique_ptr<RecordSink> file_;
  std::vector<std::unique_ptr<FrameSink>> queues_;
  std::vector<Sink*> sinks_;
  std::optional<MergeThread> merge_;  // joins the records of several drain threads into the file
  std::deque<Admission> admissions_;
  std::vector<std::unique_ptr<Drain>> drains_;
  std::optional<CaptureStats> final_;
};

}  // namespace dpcap
