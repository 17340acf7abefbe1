#include "capture/capture.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "base/error.h"
#include "base/fault_point.h"
#include "base/now.h"
#include "base/thread.h"
#include "primary/eal_files.h"
#include "primary/ports.h"
#include "sink/file_sink.h"
#include "sink/frame_sink.h"

namespace dpcap {
namespace {

// These are enough for the first tens of milliseconds; the other pieces come when packets flow already.
constexpr uint32_t kFirstPieces = 16;
// A copy that is shorter than an Ethernet header with a tag is too short for the primary to put a stripped tag back
// into. dpcap itself cuts off what is beyond the snaplen.
constexpr uint32_t kLeastSnaplen = 18;

// Whether a burst may be recorded as the lane's: see LaneState::port_gone.
bool is_own(const Lane& lane) { return slot_holds(lane.id.port, lane.id.device); }

}  // namespace

Capture::Capture(const CapturePlan& plan, const Notify& notify)
    : plan_(plan),
      notify_(notify),
      pieces_(owner_name(current_process())),
      callbacks_(lanes_),
      filters_{Interpreter(plan.program), Interpreter(plan.program_tx)},
      limit_(plan.packet_limit, notify),
      counters_(plan.lanes.size(), notify) {
  const CpuAffinityScope affinity(plan.cpus);
  make_sinks();  // first: it takes the output over, and the sink closes it whatever fails later
}

void Capture::prepare() {
  const CpuAffinityScope affinity(plan_.cpus);
  std::vector<LaneId> lanes;
  for (const LanePlan& lane : plan_.lanes) lanes.push_back(lane.id);
  owner_.emplace(lanes, plan_.purpose);
  program_.emplace(pieces_, plan_.program, plan_.program_tx);
  pool_.emplace(owner_->name(), plan_.pool, pieces_, notify_);
  for (size_t i = 0; i < plan_.lanes.size(); i++) {
    const LanePlan& lane = plan_.lanes[i];
    lanes_.emplace_back(i, lane.id, lane.interface, make_copy_ring(pieces_, pool_->most()));
  }
  fault_point("rings.made");
  make_first_mbufs();
  make_drains();
}

// A capture with little memory is better than none.
void Capture::make_first_mbufs() {
  try {
    pool_->grow(kFirstPieces, pool_->planned());
  } catch (const Error& error) {
    if (error.code() != "ERR_NO_MEMORY" || pool_->made() < CaptureMempool::kMinMbufs) throw;
  }
}

void Capture::make_drains() {
  std::vector<std::vector<Lane*>> by_thread(plan_.threads);
  for (Lane& lane : lanes_) by_thread[plan_.lanes[lane.index].thread].push_back(&lane);
  clock_.emplace(machine_time());
  DrainShare shared{filters_, *pool_, limit_, *clock_, plan_.threads, is_own};
  for (size_t i = 0; i < plan_.threads; i++) {
    if (by_thread[i].empty()) continue;
    Sink& sink = merge_ ? merge_->add_queue() : *sinks_[i];
    drains_.push_back(std::make_unique<Drain>(by_thread[i], plan_.mode, shared, sink));
  }
}

void Capture::make_sinks() {
  const SinkPlan& to = plan_.sink;
  for (const FrameQueue& queue : to.queues) {
    sinks_.push_back(std::make_unique<FrameSink>(queue.rx_fd, queue.tx_fd, to.max_rate, plan_.mode,
                                                 plan_.lanes.size() > 1, counters_));
  }
  if (!sinks_.empty()) return;
  const auto header = file_header(plan_.file, plan_.info, plan_.interfaces);
  const FileSinkOptions options{plan_.file, plan_.mode, plan_.byte_limit, header, !plan_.cpus.empty()};
  auto file = std::make_unique<FileSink>(to.fd, options, counters_);
  if (plan_.threads > 1) merge_.emplace(plan_.file, plan_.mode, counters_, *file);
  sinks_.push_back(std::move(file));
}

Capture::~Capture() { finish(false); }

void Capture::enable() {
  start_drains();
  const uint32_t snaplen = std::max(plan_.file.snaplen, kLeastSnaplen);
  callbacks_.enable(*owner_,
                    {plan_.mode, snaplen, pool_->get(), program_->get(Direction::rx), program_->get(Direction::tx)});
  started_ns_ = now_ns(CLOCK_REALTIME);
  callbacks_.take_baseline();
  pool_->open();
  callbacks_.forget_nombuf();
  fault_point("opened");
}

bool Capture::grow(uint32_t pieces, uint32_t up_to) {
  const CpuAffinityScope affinity(plan_.cpus);
  const std::lock_guard lock(growing_);
  if (primary_gone_) throw Error("ERR_ABANDONED", "the primary is gone");
  return pool_->grow(pieces, up_to);
}

void Capture::start_drains() {
  const CpuAffinityScope affinity(plan_.cpus);
  if (merge_) merge_->start(!plan_.cpus.empty());
  for (const auto& drain : drains_) drain->start(!plan_.cpus.empty());
}

std::vector<std::string> Capture::disable(bool primary_gone) {
  primary_gone_ = primary_gone;
  if (!primary_gone) callbacks_.watch();
  std::vector<std::string> left = primary_gone ? callbacks_.unsettled() : callbacks_.disable();
  is_unconfirmed_ = primary_gone || !left.empty();
  return left;
}

void Capture::finish(bool is_confirmed) {
  if (final_) return;
  // Otherwise the drain thread waits for a free block for as long as the reader pleases.
  for (const auto& sink : sinks_) sink->give_up_on_stalls();
  for (const auto& drain : drains_) drain->stop();
  if (merge_) merge_->stop();
  if (!is_confirmed) is_unconfirmed_ = true;  // the primary may be in the middle of a callback
  const uint64_t ended_ns = now_ns(CLOCK_REALTIME);
  const auto trailer = file_trailer(plan_.file, totals(stats()), started_ns_ ? started_ns_.load() : ended_ns, ended_ns);
  if (primary_gone_) leave_dead_primary();
  for (const auto& sink : sinks_) sink->finish(trailer);
  final_ = stats();
  drains_.clear();
  merge_.reset();
  sinks_.clear();
}

// Gives up the dead primary's huge pages, out of which every copy has been taken: the next primary may need them before
// the file is finished. Not during grow(), which may wait for ever for a lock that the primary died with.
void Capture::leave_dead_primary() {
  callbacks_.leave();
  has_left_ = true;
  const std::unique_lock lock(growing_, std::try_to_lock);
  if (lock) let_go_of_huge_pages();
  fault_point("left");
}

// The owner record goes last: as long as it is there, a recovery finds the rest by its name.
bool Capture::free() {
  const CpuAffinityScope affinity(plan_.cpus);
  fault_point("free.begin");
  if (!pieces_.give_back()) return false;
  if (pool_) pool_->free();
  fault_point("free.pool");
  if (owner_) owner_->free();
  return true;
}

// The primary's counters since the pool was opened. A primary that is gone, or stopped, may have counted copies that it
// did not hand over; one that goes on counts what comes after the end. Then what arrived is taken as accepted.
PdumpCounters Capture::counters_of(const Lane& lane) const {
  if (started_ns_ == 0) return {};
  PdumpCounters counters = callbacks_.counters(lane);
  if (lane.state == LaneState::taken) counters.ringfull = 0;  // that of the other tool's ring
  const uint64_t arrived = counters.ringfull + lane.recorded + lane.sinkdrop + lane.surplus;
  counters.filtered += lane.filtered;
  counters.accepted -= std::min<uint64_t>(counters.accepted, lane.filtered);
  if (is_unconfirmed_ || lane.state == LaneState::taken) counters.accepted = arrived;
  return counters;
}

CaptureStats Capture::stats() const {
  if (final_) return *final_;
  CaptureStats stats{};
  for (const Lane& lane : lanes_) {
    // These are read before the figures that they are part of, which go on growing.
    const uint64_t lost = counters_.lost(lane.index), lost_bytes = counters_.lost_bytes(lane.index);
    const uint64_t refused = lane.sinkdrop + lost;
    const bool wanted = counters_.failure() != EPIPE;  // what comes after the reader left is surplus, not loss
    LaneStats figures{};
    figures.id = lane.id;
    figures.state = lane.state;
    figures.pdump = counters_of(lane);
    figures.written = lane.recorded - lost;
    figures.bytes = lane.bytes - lost_bytes;
    figures.sinkdrop = wanted ? refused : 0;
    figures.surplus = lane.surplus + (wanted ? 0 : refused);
    stats.lanes.push_back(std::move(figures));
  }
  stats.limit_reached = limit_.is_reached();
  stats.sink_failure = counters_.failure();
  stats.file_bytes = counters_.bytes_written();
  stats.filtering_here = callbacks_.is_filtering_here();
  stats.memory = pieces_.bytes();
  if (clock_) stats.clock_steps = clock_->steps();
  if (started_ns_ == 0 || has_left_) return stats;
  stats.mbufs = pool_->mbufs();
  stats.mbufs_free = pool_->available();
  stats.wants_mbufs = pool_->is_wanting();
  stats.can_settle = callbacks_.can_settle();
  return stats;
}

std::vector<InterfaceTotals> Capture::totals(const CaptureStats& stats) const {
  std::vector<InterfaceTotals> totals(plan_.interfaces.size());
  for (size_t i = 0; i < stats.lanes.size(); i++) {
    const LaneStats& lane = stats.lanes[i];
    InterfaceTotals& total = totals[plan_.lanes[i].interface];
    total.received += lane.pdump.accepted + lane.pdump.nombuf;
    total.lost_in_primary += lane.pdump.nombuf + lane.pdump.ringfull;
    total.filter_accepted += lane.pdump.accepted + lane.pdump.nombuf;
    total.delivered += lane.written;
  }
  return totals;
}

}  // namespace dpcap
