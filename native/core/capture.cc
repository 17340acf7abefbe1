#include "core/capture.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "core/affinity.h"
#include "core/error.h"
#include "core/file_sink.h"
#include "core/frame_sink.h"
#include "core/now.h"

namespace dpcap {
namespace {

// The server verifies the program and adds the callback while we wait; librte_pdump waits as long.
constexpr int kEnableTimeoutMs = 5000;
// Disabling is repeatable, so a lost answer costs one more request; a primary that does not answer at all is given up
// after this many for all targets together.
constexpr int kDisableTimeoutMs = 1000;
constexpr int kDisableTries = 5;
// Less than an Ethernet header with a tag is too little for the primary to put a stripped tag back into; what is beyond
// the snaplen is cut off on our side.
constexpr uint32_t kLeastSnaplen = 18;

Error enable_error(const PdumpTarget& target, const Reply& reply) {
  const std::string subject = text_of(target);
  if (reply.outcome == Outcome::unknown) {
    return Error("ERR_PRIMARY_TIMEOUT", "the primary did not answer the request to capture " + subject, reply.err,
                 subject);
  }
  if (reply.err == EEXIST) {
    return Error("ERR_CAPTURE_BUSY", subject + " is already being captured", reply.err, subject);
  }
  if (reply.err == EPROTONOSUPPORT) {
    const char* what = "the primary's pdump takes requests of a layout that dpcap does not know (a patched DPDK?)";
    return Error("ERR_PRIMARY_NOT_CAPTURABLE", what, reply.err, subject);
  }
  return Error("ERR_ENABLE_FAILED", "the primary refused to capture " + subject, reply.err, subject);
}

PdumpCounters since(const PdumpCounters& now, const PdumpCounters& then) {
  return {now.accepted - then.accepted, now.filtered - then.filtered, now.nombuf - then.nombuf,
          now.ringfull - then.ringfull};
}

}  // namespace

Capture::Capture(const CapturePlan& plan, const Notify& notify)
    : plan_(plan),
      states_(plan.lanes.size(), TargetState::disabled),
      filters_{Interpreter(plan.program), Interpreter(plan.program_tx)},
      limit_(plan.packet_limit, notify),
      figures_(plan.lanes.size(), notify) {
  const OnCpus on_cpus(plan.cpus);
  // The sink comes first: it takes the output over, and closes it whatever fails after it.
  make_sinks();

  std::vector<PdumpTarget> targets;
  for (const LanePlan& lane : plan.lanes) targets.push_back(lane.target);
  owner_.emplace(targets, plan.purpose);
  program_.emplace(plan.program, plan.program_tx);
  owner_->set_program(program_->get());
  pool_.emplace(owner_->name(), plan.pool);
  const ProcessId self = current_process();
  std::vector<std::vector<Lane*>> by_thread(plan.threads);
  for (size_t i = 0; i < plan.lanes.size(); i++) {
    const LanePlan& lane = plan.lanes[i];
    lanes_.emplace_back(i, lane.target, lane.port, lane.interface, CopyRing(ring_name(self, i), pool_->most() + 1));
    by_thread[lane.thread].push_back(&lanes_.back());
  }
  clock_.emplace(machine_time());
  DrainShare shared{filters_, *pool_, limit_, *clock_, plan.threads};
  for (size_t i = 0; i < plan.threads; i++) {
    if (by_thread[i].empty()) continue;
    Sink& sink = merge_ ? merge_->add_strand() : *sinks_[i];
    drains_.push_back(std::make_unique<Drain>(by_thread[i], plan.mode, shared, sink));
  }
}

void Capture::make_sinks() {
  const SinkPlan& to = plan_.sink;
  for (const FrameQueue& queue : to.queues) {
    sinks_.push_back(std::make_unique<FrameSink>(queue.rx_fd, queue.tx_fd, to.max_rate, plan_.mode,
                                                 plan_.lanes.size() > 1, figures_));
  }
  if (!sinks_.empty()) return;
  const auto header = file_header(plan_.file, plan_.info, plan_.interfaces);
  const FileSinkOptions options{plan_.file, plan_.mode, plan_.byte_limit, header, !plan_.cpus.empty()};
  auto file = std::make_unique<FileSink>(to.fd, options, figures_);
  if (plan_.threads > 1) merge_.emplace(plan_.file, plan_.mode, figures_, *file);
  sinks_.push_back(std::move(file));
}

Capture::~Capture() { finish(unsettled().empty()); }

void Capture::enable() {
  start_drains();
  for (size_t i = 0; i < lanes_.size(); i++) {
    const PdumpTarget& target = lanes_[i].target;
    owner_->set_state(i, states_[i] = TargetState::requested);
    const Reply reply = request(lanes_[i]);
    if (reply.outcome == Outcome::failed) owner_->set_state(i, states_[i] = TargetState::disabled);
    if (reply.outcome != Outcome::done) throw enable_error(target, reply);
    owner_->set_state(i, states_[i] = TargetState::enabled);
  }
  // So far the primary found no mbufs and copied nothing. Some releases clear their counters shortly after the callback
  // went live (22.11.8 and others); now they are still, so that every later packet is in them exactly once.
  started_ns_ = now_ns(CLOCK_REALTIME);
  const auto counters = [](const Lane& lane) {
    return pdump_counters(lane.port, lane.target.queue, lane.target.direction).value_or(PdumpCounters{});
  };
  for (Lane& lane : lanes_) lane.baseline = lane.latest = counters(lane);
  pool_->open();
  // What came for want of an mbuf until now came before the capture began.
  for (Lane& lane : lanes_) lane.baseline.nombuf = lane.latest.nombuf = counters(lane).nombuf;
}

void Capture::start_drains() {
  const OnCpus on_cpus(plan_.cpus);
  if (merge_) merge_->start(!plan_.cpus.empty());
  for (const auto& drain : drains_) drain->start(!plan_.cpus.empty());
}

// A primary that refuses the filter may be one without BPF, or with another verifier: it is asked for whole copies of
// everything, and the filter runs here.
Reply Capture::request(Lane& lane) {
  // As for the lanes before it: one refusal says enough, and the primary logs each.
  const bool is_known = std::any_of(lanes_.begin(), lanes_.end(), [&](const Lane& other) {
    return other.is_filtered_here && other.target.direction == lane.target.direction;
  });
  const rte_bpf_prm* program = is_known ? nullptr : program_->get(lane.target.direction);
  const uint32_t snaplen = is_known ? UINT32_MAX : std::max(plan_.file.snaplen, kLeastSnaplen);
  const auto enable = [&](uint32_t bytes, const rte_bpf_prm* filter) {
    return pdump_enable(lane.target, {plan_.mode, bytes, lane.ring.get(), pool_->get(), filter}, kEnableTimeoutMs);
  };
  const Reply reply = enable(snaplen, program);
  if (is_known && reply.outcome == Outcome::done) lane.is_filtered_here = true;
  if (reply.outcome != Outcome::failed || reply.err == EEXIST || program == nullptr) return reply;

  const Reply second = enable(UINT32_MAX, nullptr);
  if (second.outcome == Outcome::failed) return reply;  // it was not the filter
  lane.is_filtered_here = true;
  return second;
}

std::vector<std::string> Capture::disable(bool primary_gone) {
  if (pool_) pool_->stop_growing();
  int tries = primary_gone ? 0 : kDisableTries;
  for (size_t i = 0; i < lanes_.size(); i++) {
    bool settled = states_[i] == TargetState::disabled;
    for (; !settled && tries > 0; tries--) {
      const Reply reply = pdump_disable(lanes_[i].target, kDisableTimeoutMs);
      if (reply.outcome == Outcome::done) owner_->set_state(i, states_[i] = TargetState::disabled);
      settled = reply.outcome != Outcome::unknown;
      if (settled) break;
    }
  }
  const std::vector<std::string> left = unsettled();
  is_unconfirmed_ = primary_gone || !left.empty();
  return left;
}

bool Capture::finish(bool may_free) {
  if (final_) return true;
  // Or the drain thread waits for a free block as long as the reader pleases.
  for (const auto& sink : sinks_) sink->give_up_on_stalls();
  for (const auto& drain : drains_) drain->stop();
  if (merge_) merge_->stop();
  if (!may_free) is_unconfirmed_ = true;  // it may be in the middle of a callback
  const uint64_t ended_ns = now_ns(CLOCK_REALTIME);
  const auto trailer = file_trailer(plan_.file, totals(stats()), started_ns_ ? started_ns_.load() : ended_ns, ended_ns);
  for (const auto& sink : sinks_) sink->finish(trailer);
  final_ = stats();
  drains_.clear();
  merge_.reset();
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
  sinks_.clear();
  return may_free;
}

std::vector<std::string> Capture::unsettled() const {
  std::vector<std::string> targets;
  for (size_t i = 0; i < states_.size(); i++) {
    if (states_[i] != TargetState::disabled) targets.push_back(text_of(plan_.lanes[i].target));
  }
  return targets;
}

// The primary's counters since the pool was opened. One that quits in order takes them away: then the last ones hold.
// One that is gone, or stopped, may have counted copies that it did not hand over; one that goes on counts what comes
// after the end: then what arrived is what was accepted.
PdumpCounters Capture::counters_of(const Lane& lane) const {
  if (started_ns_ == 0) return {};
  const auto now = pdump_counters(lane.port, lane.target.queue, lane.target.direction);
  if (now) lane.latest = *now;
  PdumpCounters counters = since(lane.latest, lane.baseline);
  const uint64_t arrived = counters.ringfull + lane.recorded + lane.sinkdrop + lane.surplus;
  counters.filtered += lane.filtered;
  counters.accepted -= std::min<uint64_t>(counters.accepted, lane.filtered);
  if (is_unconfirmed_) counters.accepted = arrived;
  return counters;
}

CaptureStats Capture::stats() const {
  if (final_) return *final_;
  CaptureStats stats{};
  for (const Lane& lane : lanes_) {
    const uint64_t lost = figures_.lost(lane.index);
    const uint64_t refused = lane.sinkdrop + lost;
    const bool wanted = figures_.failure() != EPIPE;  // what comes after the reader left is surplus, not loss
    stats.lanes.push_back({lane.port, lane.target.queue, lane.target.direction, counters_of(lane), lane.recorded - lost,
                           lane.bytes, wanted ? refused : 0, lane.surplus + (wanted ? 0 : refused)});
  }
  stats.limit_reached = limit_.is_reached();
  stats.sink_failure = figures_.failure();
  stats.file_bytes = figures_.bytes_written();
  stats.clock_steps = clock_->steps();
  stats.mbufs = pool_->mbufs();
  stats.mbufs_free = pool_->available();
  stats.filtering_here =
      std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.is_filtered_here.load(); });
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
