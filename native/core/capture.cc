#include "core/capture.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "core/error.h"
#include "core/file_sink.h"
#include "core/tap_sink.h"

namespace dpcap {
namespace {

// The server verifies the program and adds the callback while we wait; librte_pdump waits as long.
constexpr int kEnableTimeoutMs = 5000;
// Disabling is repeatable, so a lost answer costs one more request.
constexpr int kDisableTimeoutMs = 1000;
constexpr int kDisableTries = 5;

uint64_t realtime_ns() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1000000000ull + now.tv_nsec;
}

Error enable_error(const PdumpTarget& target, const Reply& reply) {
  const std::string subject = text_of(target);
  if (reply.outcome == Outcome::unknown) {
    return Error("ERR_PRIMARY_TIMEOUT", "the primary did not answer the request to capture " + subject, reply.err,
                 subject);
  }
  if (reply.err == EEXIST) {
    return Error("ERR_CAPTURE_BUSY", subject + " is already being captured", reply.err, subject);
  }
  return Error("ERR_ENABLE_FAILED", "the primary refused to capture " + subject, reply.err, subject);
}

PdumpCounters since(const PdumpCounters& now, const PdumpCounters& then) {
  return {now.accepted - then.accepted, now.filtered - then.filtered, now.nombuf - then.nombuf,
          now.ringfull - then.ringfull};
}

std::unique_ptr<Sink> make_sink(const CapturePlan& plan, const std::vector<uint8_t>& header) {
  const SinkPlan& sink = plan.sink;
  const size_t lanes = plan.lanes.size();
  if (sink.kind == SinkPlan::Kind::tap) return std::make_unique<TapSink>(sink.fd, sink.tx_fd, sink.max_rate, lanes);
  return std::make_unique<FileSink>(sink.fd, plan.file.format, header, lanes);
}

}  // namespace

Capture::Capture(const CapturePlan& plan) : plan_(plan), states_(plan.lanes.size(), TargetState::disabled) {
  // The sink comes first: it takes the output over, and closes it whatever fails after it.
  const std::vector<uint8_t> header = file_header(plan.file, plan.info, plan.interfaces);
  sink_ = make_sink(plan, header);

  std::vector<PdumpTarget> targets;
  for (const LanePlan& lane : plan.lanes) targets.push_back(lane.target);
  owner_.emplace(targets, plan.purpose);
  program_.emplace(plan.program, plan.program_tx);
  owner_->set_program(program_->get());
  pool_.emplace(owner_->name(), plan.mbufs, plan.data_room);
  const ProcessId self = current_process();
  for (size_t i = 0; i < plan.lanes.size(); i++) {
    const LanePlan& lane = plan.lanes[i];
    lanes_.emplace_back(i, lane.target, lane.port, lane.interface, CopyRing(ring_name(self, i), pool_->mbufs() + 1));
  }
  const DrainOptions options{plan.mode, plan.file, plan.packet_limit, plan.byte_limit};
  drain_.emplace(options, lanes_, *pool_, *sink_, header.size());
}

Capture::~Capture() { finish(unsettled().empty()); }

void Capture::enable() {
  drain_->start();
  for (size_t i = 0; i < lanes_.size(); i++) {
    const PdumpTarget& target = lanes_[i].target;
    owner_->set_state(i, states_[i] = TargetState::requested);
    const PdumpEnable request{plan_.mode, plan_.file.snaplen, lanes_[i].ring.get(), pool_->get(),
                              program_->get(target.direction)};
    const Reply reply = pdump_enable(target, request, kEnableTimeoutMs);
    if (reply.outcome == Outcome::failed) owner_->set_state(i, states_[i] = TargetState::disabled);
    if (reply.outcome != Outcome::done) throw enable_error(target, reply);
    owner_->set_state(i, states_[i] = TargetState::enabled);
  }
  // So far the primary found no mbufs and copied nothing. Some releases clear their counters shortly after the callback
  // went live (22.11.8 and others); now they are still, so that every later packet is in them exactly once.
  started_ns_ = realtime_ns();
  for (Lane& lane : lanes_) {
    const auto counters = pdump_counters(lane.port, lane.target.queue, lane.target.direction);
    lane.baseline = lane.latest = counters.value_or(PdumpCounters{});
  }
  pool_->open();
}

std::vector<std::string> Capture::disable(bool primary_gone) {
  for (size_t i = 0; i < lanes_.size(); i++) {
    for (int tries = 0; !primary_gone && states_[i] != TargetState::disabled && tries < kDisableTries; tries++) {
      const Reply reply = pdump_disable(lanes_[i].target, kDisableTimeoutMs);
      if (reply.outcome == Outcome::done) owner_->set_state(i, states_[i] = TargetState::disabled);
      if (reply.outcome == Outcome::failed) break;
    }
  }
  return unsettled();
}

bool Capture::finish(bool may_free) {
  if (final_) return true;
  sink_->give_up_on_stalls();  // or the drain thread waits for a free block as long as the reader pleases
  drain_->stop();
  const uint64_t ended_ns = realtime_ns();
  sink_->finish(file_trailer(plan_.file, totals(stats()), started_ns_ ? started_ns_.load() : ended_ns, ended_ns));
  final_ = stats();
  drain_.reset();
  if (!may_free) {
    for (Lane& lane : lanes_) lane.ring.abandon();
    pool_->abandon();
    program_->abandon();
    owner_->abandon();
  }
  lanes_.clear();
  pool_.reset();
  program_.reset();
  owner_.reset();
  sink_.reset();
  return may_free;
}

std::vector<std::string> Capture::unsettled() const {
  std::vector<std::string> targets;
  for (size_t i = 0; i < states_.size(); i++) {
    if (states_[i] != TargetState::disabled) targets.push_back(text_of(plan_.lanes[i].target));
  }
  return targets;
}

// The primary's counters since the pool was opened.
PdumpCounters Capture::counters_of(const Lane& lane) const {
  if (started_ns_ == 0) return {};
  const auto now = pdump_counters(lane.port, lane.target.queue, lane.target.direction);
  if (now) lane.latest = *now;
  PdumpCounters counters = since(lane.latest, lane.baseline);
  // When the primary took its counters away, what came out of the ring is known to have been accepted.
  const uint64_t taken = lane.recorded + lane.sinkdrop + lane.surplus;
  if (!now) counters.accepted = std::max(counters.accepted, counters.ringfull + taken);
  return counters;
}

CaptureStats Capture::stats() const {
  if (final_) return *final_;
  CaptureStats stats{};
  for (const Lane& lane : lanes_) {
    const uint64_t lost = sink_->lost(lane.index);
    stats.lanes.push_back({lane.port, lane.target.queue, lane.target.direction, counters_of(lane), lane.recorded - lost,
                           lane.bytes, lane.sinkdrop + lost, lane.surplus});
  }
  stats.limit_reached = drain_->limit_reached();
  stats.sink_failure = sink_->failure();
  stats.file_bytes = sink_->bytes_written();
  stats.mbufs = pool_->mbufs();
  stats.mbufs_free = pool_->available();
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
