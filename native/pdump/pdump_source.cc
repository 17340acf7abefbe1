#include "pdump/pdump_source.h"

#include <algorithm>
#include <shared_mutex>
#include <utility>

#include "base/error.h"
#include "base/fault_point.h"
#include "base/process/process_id.h"
#include "primary/life/eal_files.h"
#include "primary/ports.h"
#include "primary/release.h"

namespace dpcap {
namespace {

// These are enough for the first tens of milliseconds; the other pieces come when packets flow already.
constexpr uint32_t kFirstPieces = 16;

// The primary's huge pages, which are mapped once for all sources of this process. When the primary is gone, the last
// of them lets go of them: the next primary may need them before the files are finished.
class HugePages {
 public:
  // Counts a source in, from before it has anything there until it leaves or has freed it. One that could not free its
  // memory in a living primary stays counted in.
  void enter() {
    const std::shared_lock lock(use_);
    if (are_gone_) throw Error("ERR_ABANDONED", "the primary is gone");
    sources_++;
  }

  // Holds them, for work that may touch them after its source has left. Throws ERR_ABANDONED.
  std::shared_lock<std::shared_mutex> hold(const std::atomic<bool>& primary_gone) {
    std::shared_lock lock(use_);
    if (are_gone_ || primary_gone) throw Error("ERR_ABANDONED", "the primary is gone");
    return lock;
  }

  void release() { sources_--; }

  // They are kept when they are held, maybe for ever: by a request for memory, which may wait for a lock that the
  // primary died with.
  void leave() {
    const bool is_last = --sources_ == 0;
    const std::unique_lock lock(use_, std::try_to_lock);
    if (!is_last || !lock) return;
    are_gone_ = true;
    let_go_of_huge_pages();
  }

 private:
  std::shared_mutex use_;
  std::atomic<int> sources_{0};
  bool are_gone_ = false;
};
HugePages huge_pages;

// Whether a burst may be recorded as the lane's: see LaneState::port_gone.
bool is_own(const Lane& lane) { return slot_holds(lane.id.port, lane.id.device); }

// See PdumpLane::count_lost.
std::optional<uint64_t> count_lost(const LaneId& lane) {
  const auto counters = pdump_counters(lane.port, lane.queue, lane.direction);
  return counters ? std::optional(counters->nombuf) : std::nullopt;
}

}  // namespace

PdumpSource::PdumpSource(const PdumpPlan& plan, const Notify& notify)
    : plan_(plan),
      notify_(notify),
      filters_(interpreters(plan.filters)),
      pieces_(owner_name(current_process(), plan.number)),
      callbacks_(lanes_) {
  huge_pages.enter();
  is_in_memory_ = true;
}

void PdumpSource::prepare(const std::vector<Lane*>& lanes, const Ledger& ledger) {
  std::vector<LaneId> ids;
  for (const Lane* lane : lanes) ids.push_back(lane->id);
  owner_.emplace(plan_.number, ids, plan_.purpose);
  for (const FilterPrograms& filter : plan_.filters) programs_.emplace_back(pieces_, filter.rx, filter.tx);
  pool_.emplace(owner_->name(), plan_.pool, pieces_, notify_);
  for (Lane* lane : lanes) {
    lanes_.emplace_back(*lane, ledger[lane->index], make_copy_ring(pieces_, pool_->most()));
    lanes_.back().count_lost = count_lost;
  }
  fault_point("rings.made");
  make_first_mbufs();
  using Stamps = StampClock::Stamps;
  clock_.emplace(machine_time(), running_release().stamps_raw_tsc ? Stamps::raw_tsc : Stamps::primary_ns);
}

// A capture with little memory is better than none.
void PdumpSource::make_first_mbufs() {
  try {
    pool_->grow(kFirstPieces, pool_->planned());
  } catch (const Error& error) {
    if (error.code() != "ERR_NO_MEMORY" || pool_->made() < CaptureMempool::kMinMbufs) throw;
  }
}

std::unique_ptr<Poller> PdumpSource::poller(std::vector<Lane*> lanes, RecordSink& sink, Admission& admission) {
  const Gaps gaps = plan_.file.format == FileFormat::pcapng ? Gaps::told : Gaps::untold;
  return make_poller(lanes, std::make_unique<RecordWriter>(plan_.file, plan_.mode, sink), gaps, sink, admission);
}

std::unique_ptr<Poller> PdumpSource::poller(std::vector<Lane*> lanes, FrameSink& sink, Admission& admission) {
  return make_poller(lanes, std::make_unique<FrameWriter>(plan_.mode, sink), Gaps::untold, sink, admission);
}

std::unique_ptr<Poller> PdumpSource::make_poller(const std::vector<Lane*>& lanes, std::unique_ptr<PacketWriter> writer,
                                                 Gaps gaps, const Sink& sink, Admission& admission) {
  std::vector<PdumpLane*> own;
  for (const Lane* lane : lanes) own.push_back(&lanes_[lane->index]);
  const PollerShare share{plan_.mode, filters_, *pool_, *clock_, plan_.threads, is_own, gaps};
  return std::make_unique<PdumpPoller>(std::move(own), share, std::move(writer), sink, admission);
}

void PdumpSource::enable() { callbacks_.enable(*owner_, {plan_.mode, plan_.file.snaplen, pool_->get(), &programs_}); }

void PdumpSource::open() {
  callbacks_.take_baseline();
  is_open_ = true;
  pool_->open();
  callbacks_.forget_nombuf();
}

bool PdumpSource::grow(uint32_t pieces, uint32_t up_to) {
  const auto held = huge_pages.hold(primary_gone_);
  return pool_->grow(pieces, up_to);
}

std::vector<std::string> PdumpSource::disable(Primary primary) {
  primary_gone_ = primary == Primary::gone;
  if (primary == Primary::gone) return callbacks_.unsettled();
  callbacks_.watch();
  return callbacks_.disable();
}

// Every copy has been taken out of the dead primary's huge pages.
void PdumpSource::leave() {
  callbacks_.leave();
  has_left_ = true;
  if (std::exchange(is_in_memory_, false)) huge_pages.leave();
  fault_point("left");
}

// In the memory of a dead primary, this would wait for locks that the primary may have died with. The owner record goes
// last: as long as it is there, a recovery finds the rest by its name.
bool PdumpSource::release() {
  if (!pieces_.give_back()) return false;
  if (pool_) pool_->free();
  fault_point("free.pool");
  if (owner_) owner_->free();
  if (std::exchange(is_in_memory_, false)) huge_pages.release();
  return true;
}

void PdumpSource::abandon() {
  pieces_.abandon();
  callbacks_.abandon();
}

SourceStats PdumpSource::stats() const {
  SourceStats stats;
  stats.filtering_here = callbacks_.is_filtering_here();
  stats.memory = pieces_.bytes();
  if (clock_) stats.clock_steps = clock_->steps();
  if (!is_open_ || has_left_) return stats;
  stats.mbufs = pool_->mbufs();
  stats.mbufs_free = pool_->available();
  stats.wants_mbufs = pool_->is_wanting();
  stats.can_settle = callbacks_.can_settle();
  return stats;
}

}  // namespace dpcap
