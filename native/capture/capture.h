// A capture owns everything that it has in the primary, and gives it back in the right order.
//
//   Capture(plan)   takes the output over
//   prepare()       makes owner record, pieces, program, mempool (shut), rings, drains: all inert
//   enable()        sends requests to the primary; then the mempool is opened and packets flow
//   grow(), watch(), settle()   while packets flow
//   disable()       sends requests to the primary; from here nothing new begins
//   -- the caller waits until no thread of the primary can still be inside a callback --
//   finish()        empties the rings, closes the file
//   free()          gives everything back, unless something may still be in use
//
// One call at a time, on any thread. During grow() and settle(), stats() and watch() may be called; abandon() always.
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
  LaneId id;
  uint32_t interface;
  uint32_t thread;  // index of the drain thread that drains the lane
};

// Where packets go. The capture takes the descriptors over.
struct FrameQueue {
  int rx_fd;
  int tx_fd;  // may be the same
};
struct SinkPlan {
  int fd;                          // of the file, or -1
  std::vector<FrameQueue> queues;  // of an interface: one for each drain thread
  uint32_t max_rate;               // of an interface: packets a second, 0 for no limit
};

struct CapturePlan {
  std::vector<LanePlan> lanes;
  std::vector<InterfaceInfo> interfaces;
  std::vector<uint8_t> program;     // ebpf_insn bytes for rx, empty for match-all
  std::vector<uint8_t> program_tx;  // the same for tx
  CopyMode mode;
  FileOptions file;
  FileInfo info;
  uint64_t packet_limit;
  uint64_t byte_limit;
  CaptureMempool::Size pool;
  SinkPlan sink;
  uint32_t threads;       // number of drain threads
  std::vector<int> cpus;  // for the threads that handle packets; empty: any
  std::string purpose;
};

struct LaneStats {
  LaneId id;
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
  bool wants_mbufs;     // more mbufs were wanted since grow() was last called
  bool can_settle;      // settle() has something to do
  uint64_t memory;      // bytes of the primary's huge pages, without owner record and mempool header
};

class Capture {
 public:
  // `notify`: called when a limit was reached, a sink failed or mbufs run short; stats() tells which.
  Capture(const CapturePlan& plan, const Notify& notify);
  // Leaves what free() has not freed where it is.
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  // Throws ERR_NO_MEMORY, ERR_PRIMARY_TIMEOUT, ERR_ABANDONED; disable() and finish() must be called even then.
  void prepare();
  // Throws when one lane cannot be enabled. The lanes enabled before it stay in the owner record: disable() and
  // finish() must be called as always.
  void enable();
  // Adds the mbufs of some pieces of memory, but no more than `up_to` in all. Returns false when the mempool has as
  // many. Throws as prepare(); the mbufs that are there stay in use.
  bool grow(uint32_t pieces, uint32_t up_to);
  // Ends the lanes whose port or queue is gone. Sends no request.
  void watch() { callbacks_.watch(); }
  // Has the primary remove the callbacks of ended lanes that can be reached again.
  void settle() { callbacks_.settle(); }
  // Returns the lanes whose state is still unknown, as text. With `primary_gone` it sends nothing.
  std::vector<std::string> disable(bool primary_gone);
  // Empties the rings, and closes the output. `is_confirmed`: the primary lives, and is known to be out of the
  // callbacks; otherwise copies that it counted may not have arrived.
  void finish(bool is_confirmed);
  // Gives back what the capture has in a primary that lives and is known to be out of the callbacks. (In the memory of
  // a dead primary, it would wait for locks that the primary may have died with.) Called after finish(). Returns
  // whether all was freed.
  bool free();
  // Any thread, at any moment: a call that asks the primary for memory, gives memory back or disables lanes ends at the
  // next piece or lane.
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
  bool is_unconfirmed_ = false;  // the primary is gone, or did not confirm the end
  std::atomic<bool> primary_gone_{false};
  std::mutex growing_;
  std::atomic<bool> has_left_{false};  // the primary's memory is not to be touched any more
  const Filters filters_;
  Limit limit_;
  SinkCounters counters_;
  std::vector<std::unique_ptr<Sink>> sinks_;  // the file, or a queue of an interface for each drain thread
  std::optional<MergeThread> merge_;          // joins the records of several drain threads into the file
  std::optional<SharedClock> clock_;
  std::vector<std::unique_ptr<Drain>> drains_;
  std::optional<CaptureStats> final_;
};

}  // namespace dpcap
