// The source that has the primary's pdump framework copy packets: callbacks in the primary, and in its huge pages the
// owner record, the filter program, a ring for each lane and the mempool. See Source for which thread may call what.
#pragma once
#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/notify.h"
#include "capture/plan.h"
#include "capture/source.h"
#include "pdump/callbacks.h"
#include "pdump/memory/copy_ring.h"
#include "pdump/memory/mempool.h"
#include "pdump/memory/shared_pieces.h"
#include "pdump/owner_record.h"
#include "pdump/pdump_lane.h"
#include "pdump/reader/pdump_poller.h"
#include "record/pcap_format.h"

namespace dpcap {

struct PdumpPlan {
  uint32_t number;  // of the capture in this process: see owner_name()
  CopyMode mode;
  std::vector<FilterPrograms> filters;  // see LaneRule
  FileOptions file;
  CaptureMempool::Size pool;
  uint32_t threads;  // number of drain threads
  std::string purpose;
};

class PdumpSource : public Source {
 public:
  // `notify`: called when mbufs run short.
  PdumpSource(const PdumpPlan& plan, const Notify& notify);

  void prepare(const std::vector<Lane*>& lanes, const Ledger& ledger) override;
  std::unique_ptr<Poller> poller(std::vector<Lane*> lanes, RecordSink& sink, Admission& admission) override;
  std::unique_ptr<Poller> poller(std::vector<Lane*> lanes, FrameSink& sink, Admission& admission) override;
  void enable() override;
  void open() override;
  bool grow(uint32_t pieces, uint32_t up_to) override;
  void watch() override { callbacks_.watch(); }
  std::vector<std::string> settle() override {
    callbacks_.settle();
    return {};
  }
  std::vector<std::string> disable(Primary primary) override;
  void leave() override;
  bool release() override;
  void abandon() override;
  SourceCounters counters(const Lane& lane) const override { return callbacks_.counters(lanes_[lane.index]); }
  SourceStats stats() const override;

 private:
  void make_first_mbufs();
  std::unique_ptr<Poller> make_poller(const std::vector<Lane*>& lanes, std::unique_ptr<PacketWriter> writer, Gaps gaps,
                                      const Sink& sink, Admission& admission);

  const PdumpPlan plan_;
  const Notify notify_;
  const std::vector<Filters> filters_;
  SharedPieces pieces_;
  std::optional<OwnerRecord> owner_;
  std::vector<SharedProgram> programs_;  // one for each filter
  std::optional<CaptureMempool> pool_;
  std::deque<PdumpLane> lanes_;
  Callbacks callbacks_;
  std::optional<SharedClock> clock_;
  bool is_in_memory_ = false;
  std::atomic<bool> is_open_{false};
  std::atomic<bool> primary_gone_{false};
  std::atomic<bool> has_left_{false};  // the primary's memory is not to be touched any more
};

}  // namespace dpcap
