// A capture: owns everything it has in the primary and gives it back in the right order.
//
//   Capture(plan)   takes the output over
//   prepare()       record, pieces, program, pool (shut), rings, drains: all inert
//   enable()        requests to the primary; then the pool is opened and packets flow
//   grow(), watch(), settle()   while it runs
//   disable()       requests to the primary; from here nothing new begins
//   -- the caller waits until no thread of the primary can still be inside a callback --
//   finish()        drains, closes the file
//   free()          unless something may still be in use
//
// One call at a time, on any thread. Beside grow() and settle(), stats() and watch() may be called; abandon() always.
#pragma once
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/notify.h"
#include "capture/drain.h"
#include "capture/merge_thread.h"
#include "pdump/callbacks.h"
#include "pdump/lane.h"
#include "pdump/memory/copy_ring.h"
#include "pdump/memory/mempool.h"
#include "pdump/memory/shared_pieces.h"
#include "pdump/owner_record.h"
#include "record/pcap_format.h"
#include "sink/sink.h"

namespace dpcap {

struct LanePlan {
  PdumpTarget target;
  uint32_t interface;
  uint32_t thread;  // the one that drains it
};

// Where packets go. The descriptors are taken over.
struct FrameQueue {
  int rx_fd;
  int tx_fd;  // may be the same
};
struct SinkPlan {
  int fd;                          // of the file, or -1
  std::vector<FrameQueue> queues;  // of an interface: one for each thread
  uint32_t max_rate;               // of an interface: packets a second, 0 for no limit
};

struct CapturePlan {
  std::vector<LanePlan> lanes;
  std::vector<InterfaceInfo> interfaces;
  std::vector<uint8_t> program;     // ebpf_insn bytes for rx, empty for match-all
  std::vector<uint8_t> program_tx;  // and for tx
  CopyMode mode;
  FileOptions file;
  FileInfo info;
  uint64_t packet_limit;
  uint64_t byte_limit;
  CaptureMempool::Size pool;
  SinkPlan sink;
  uint32_t threads;       // that drain
  std::vector<int> cpus;  // for the threads that handle packets; empty: any
  std::string purpose;
};

struct LaneStats {
  PdumpTarget target;
  LaneState state;
  PdumpCounters pdump;  // since the pool was opened
  uint64_t written;
  uint64_t bytes;
  uint64_t sinkdrop;
  uint64_t surplus;
};

struct CaptureStats {
  std::vector<LaneStats> lanes;
  bool limit_reached;
  int sink_failure;  // errno
  uint64_t file_bytes;
  ClockSteps clock_steps;
  uint32_t mbufs;
  uint32_t mbufs_free;
  bool filtering_here;  // the primary could not load the filter of a lane
  bool wants_mbufs;     // it was hard pressed since grow() was last called
  bool can_settle;      // there is something for settle() to do
  uint64_t memory;      // bytes of the primary's huge pages, but for the mempool's header
};

class Capture {
 public:
  // `notify`: called when a limit was reached, a sink failed, mbufs run short or a lane has ended; stats() tells which.
  Capture(const CapturePlan& plan, const Notify& notify);
  // What free() has not freed stays where it is.
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  // Throws ERR_NO_MEMORY, ERR_PRIMARY_TIMEOUT, ERR_ABANDONED; then disable() and finish() are still owed.
  void prepare();
  // Throws when one target cannot be enabled. What was enabled before it stays recorded: disable() and finish() as
  // ever.
  void enable();
  // Adds the mbufs of some pieces of memory, but no more than `up_to` in all; false when it has as many. Throws as
  // prepare(); what there is stays in use.
  bool grow(uint32_t pieces, uint32_t up_to);
  // Ends the lanes whose port or queue is gone. No request.
  void watch() { callbacks_.watch(); }
  // Has the primary remove the callbacks of ended lanes that can be reached again.
  void settle() { callbacks_.settle(); }
  // Returns the targets whose state is still unknown, as text. `primary_gone` sends nothing.
  std::vector<std::string> disable(bool primary_gone);
  // Drains, and closes the output. `is_confirmed`: the primary lives, and is known to be out of the callbacks; else
  // what it counted may not have arrived.
  void finish(bool is_confirmed);
  // Gives back what the capture has in a primary that lives and is known to be out of the callbacks. (In the memory of
  // a dead one it would wait for locks that it may have died with.) After finish(). Returns whether all was freed.
  bool free();
  // Any thread, at any moment: what asks the primary for memory, gives it back or disables ends at the next piece or
  // lane.
  void abandon() {
    pieces_.abandon();
    callbacks_.abandon();
  }

  CaptureStats stats() const;

 private:
  void make_sinks();
  void make_first_mbufs();
  void make_drains();
  void start_drains();
  void leave_dead_primary();
  PdumpCounters counters_of(const Lane& lane) const;
  std::vector<InterfaceTotals> totals(const CaptureStats& stats) const;

  const CapturePlan plan_;
  const Notify notify_;
  std::atomic<uint64_t> started_ns_{0};
  SharedPieces pieces_;
  std::optional<OwnerRecord> owner_;
  std::optional<SharedProgram> program_;
  std::optional<CaptureMempool> pool_;
  std::deque<Lane> lanes_;
  Callbacks callbacks_;
  bool is_unconfirmed_ = false;  // the end, by a primary that is gone or does not answer
  std::atomic<bool> primary_gone_{false};
  std::mutex growing_;
  std::atomic<bool> has_left_{false};  // no memory of the primary is there any more
  const Filters filters_;
  Limit limit_;
  SinkCounters counters_;
  std::vector<std::unique_ptr<Sink>> sinks_;  // the file, or a queue of an interface for each drain
  std::optional<MergeThread> merge_;          // of several drains, into the file
  std::optional<SharedClock> clock_;
  std::vector<std::unique_ptr<Drain>> drains_;
  std::optional<CaptureStats> final_;
};

}  // namespace dpcap
