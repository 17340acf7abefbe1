// A capture: owns everything it has in the primary and gives it back in the right order.
//
//   Capture(plan)   record, writer, program, pool (shut), rings, drain: all inert
//   enable()        requests to the primary; then the pool is opened and packets flow
//   disable()       requests to the primary; from here nothing new begins
//   -- the caller waits until no thread of the primary can still be inside a callback --
//   finish(...)     drains, closes the file, frees; or leaves in place what may still be in use
//
// Each step may be called once, on any one thread at a time; counters may be read by any thread at any moment.
#pragma once
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/copy_pool.h"
#include "core/drain.h"
#include "core/lane.h"
#include "core/merge.h"
#include "core/notify.h"
#include "core/owner.h"
#include "core/record.h"
#include "core/shared_memory.h"
#include "core/sink.h"

namespace dpcap {

struct LanePlan {
  PdumpTarget target;
  uint16_t port;
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
  CopyPool::Size pool;
  SinkPlan sink;
  uint32_t threads;       // that drain
  std::vector<int> cpus;  // for the threads that handle packets; empty: any
  std::string purpose;
};

struct LaneStats {
  uint16_t port;
  uint16_t queue;
  Direction direction;
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
};

class Capture {
 public:
  // `notify`: called when a limit was reached or a sink failed; stats() tells which.
  Capture(const CapturePlan& plan, const Notify& notify);
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  // Throws when one target cannot be enabled. What was enabled before it stays recorded: disable() and finish() as
  // ever.
  void enable();
  // Returns the targets whose state is still unknown, as text. `primary_gone` sends nothing.
  std::vector<std::string> disable(bool primary_gone);
  // `may_free`: the primary lives, and is known to be out of the callbacks. Freeing in the memory of a dead one would
  // wait for locks that it may have died with. Returns whether everything was freed.
  bool finish(bool may_free);

  CaptureStats stats() const;

 private:
  void make_sinks();
  void start_drains();
  Reply request(Lane& lane);
  PdumpCounters counters_of(const Lane& lane) const;
  std::vector<std::string> unsettled() const;
  std::vector<InterfaceTotals> totals(const CaptureStats& stats) const;

  const CapturePlan plan_;
  std::atomic<uint64_t> started_ns_{0};
  // Declaration order is construction order; finish() destroys in reverse.
  std::optional<OwnerRecord> owner_;
  std::optional<SharedProgram> program_;
  std::optional<CopyPool> pool_;
  std::deque<Lane> lanes_;
  std::vector<TargetState> states_;
  std::atomic<bool> is_unconfirmed_{false};  // the end, by a primary that is gone or does not answer
  const Filters filters_;
  Limit limit_;
  SinkFigures figures_;
  std::vector<std::unique_ptr<Sink>> sinks_;  // the file, or a queue of an interface for each drain
  std::optional<Merge> merge_;                // of several drains, into the file
  std::optional<SharedClock> clock_;
  std::vector<std::unique_ptr<Drain>> drains_;
  std::optional<CaptureStats> final_;
};

}  // namespace dpcap
