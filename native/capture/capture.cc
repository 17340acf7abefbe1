#include "capture/capture.h"

#include <cerrno>
#include <ctime>
#include <utility>

#include "base/fault_point.h"
#include "base/now.h"
#include "base/thread.h"
#include "sink/file_sink.h"
#include "sink/interface_sink.h"
#include "sink/tunnel/tunnel_sink.h"

namespace dpcap {

namespace {

std::vector<uint32_t> interfaces_of(const std::vector<LanePlan>& lanes) {
  std::vector<uint32_t> interfaces;
  for (const LanePlan& lane : lanes) interfaces.push_back(lane.interface);
  return interfaces;
}

}  // namespace

Capture::Capture(const CapturePlan& plan, std::unique_ptr<Source> source, const Notify& notify)
    : plan_(plan),
      source_(std::move(source)),
      limit_(plan.packet_limit, notify),
      ledger_(plan.lanes.size()),
      counters_(ledger_, notify),
      spans_(plan_.file, interfaces_of(plan_.lanes), plan_.interfaces.size()) {
  if (plan_.rotation) supply_.emplace(notify);
  for (const LanePlan& lane : plan_.lanes) lanes_.emplace_back(lanes_.size(), lane.id, lane.interface, lane.rule);
  const CpuAffinityScope affinity(plan_.cpus);
  make_sinks();  // first: it takes the output over, and the sink closes it whatever fails later
}

void Capture::prepare() {
  const CpuAffinityScope affinity(plan_.cpus);
  std::vector<Lane*> lanes;
  for (Lane& lane : lanes_) lanes.push_back(&lane);
  source_->prepare(lanes, ledger_);
  make_drains();
}

void Capture::make_sinks() {
  using Order = InterfaceSink::Order;
  const SinkPlan& to = plan_.sink;
  const Order order = plan_.lanes.size() > 1 ? Order::of_arrival : Order::as_found;
  for (const FrameQueue& queue : to.queues) {
    queues_.push_back(std::make_unique<InterfaceSink>(queue.rx_fd, queue.tx_fd, to.max_rate, order, counters_));
    sinks_.push_back(queues_.back().get());
  }
  if (to.tunnel) {
    queues_.push_back(std::make_unique<TunnelSink>(to.fd, *to.tunnel, counters_));
    sinks_.push_back(queues_.back().get());
  }
  if (!queues_.empty()) return;
  make_file();
  sinks_.push_back(file_.get());
  if (plan_.threads > 1) merge_.emplace(plan_.file, counters_, *file_);
}

void Capture::make_file() {
  const auto header = file_header(plan_.file, plan_.info, plan_.interfaces);
  FileSinkOptions options{plan_.file.format, plan_.byte_limit, header, priority()};
  if (plan_.packet_buffered) options.hurry = FileSinkOptions::Hurry::each_round;
  options.compression = plan_.sink.compression;
  if (options.compression.codec != Codec::none)
    options.on_overflow = [this](uint32_t packets) { limit_.give_back(packets); };
  if (plan_.min_free != 0) {
    options.min_free.emplace(MinFree{plan_.min_free, [this] {
                                       counters_.remark(SinkRemark::low);
                                       limit_.reach();
                                     }});
  }
  if (plan_.rotation) {
    options.rotation.emplace(FileRotation{*plan_.rotation, lanes_.size(), &*supply_,
                                          [this](const std::vector<uint64_t>& packets) { return end_span(packets); },
                                          [this] { limit_.reach(); }});
  }
  file_ = std::make_unique<FileSink>(plan_.sink.fd, std::move(options), counters_);
}

// Runs on the thread that feeds the file. Where somebody else reads the counters at this moment, it does not wait for
// him.
std::vector<uint8_t> Capture::end_span(const std::vector<uint64_t>& packets_by_lane) {
  if (!plan_.info.has_statistics) return {};
  std::vector<SourceCounters> counted;
  const std::unique_lock lock(reading_, std::try_to_lock);
  if (lock) {
    for (const Lane& lane : lanes_) counted.push_back(counted_for(lane));
  }
  return spans_.end(packets_by_lane, counted, started_ns_);
}

void Capture::make_drains() {
  std::vector<std::vector<Lane*>> by_thread(plan_.threads);
  for (Lane& lane : lanes_) by_thread[plan_.lanes[lane.index].thread].push_back(&lane);
  for (size_t i = 0; i < plan_.threads; i++) {
    if (by_thread[i].empty()) continue;
    const auto drain_into = [&](auto& sink) {
      Admission& admission = admissions_.emplace_back(ledger_, limit_, sink);
      drains_.push_back(std::make_unique<Drain>(source_->poller(by_thread[i], sink, admission), sink, plan_.threads));
    };
    if (!queues_.empty()) {
      drain_into(*queues_[i]);
    } else {
      drain_into(merge_ ? merge_->add_queue() : *file_);
    }
  }
}

Capture::~Capture() { finish(Quiet::unconfirmed); }

void Capture::enable() {
  start_threads();
  source_->enable();
  started_ns_ = now_ns(CLOCK_REALTIME);
  source_->open();
  fault_point("opened");
}

bool Capture::grow(uint32_t pieces, uint32_t up_to) {
  const CpuAffinityScope affinity(plan_.cpus);
  return source_->grow(pieces, up_to);
}

void Capture::start_threads() {
  const CpuAffinityScope affinity(plan_.cpus);
  if (merge_) merge_->start(priority());
  for (const auto& drain : drains_) drain->start(priority());
}

void Capture::flush() {
  for (Sink* sink : sinks_) sink->request_flush();
}

std::vector<std::string> Capture::disable(Primary primary) {
  primary_gone_ = primary == Primary::gone;
  std::vector<std::string> left = source_->disable(primary);
  is_unconfirmed_ = primary_gone_ || !left.empty();
  return left;
}

void Capture::finish(Quiet quiet) {
  if (final_) return;
  // Otherwise a drain thread waits for a free block for as long as the reader pleases.
  for (Sink* sink : sinks_) sink->give_up_on_stalls();
  for (const auto& drain : drains_) drain->stop();
  if (merge_) merge_->stop();
  if (quiet == Quiet::unconfirmed) is_unconfirmed_ = true;  // the application may be in the middle of a callback
  const std::vector<uint8_t> last = trailer();
  if (primary_gone_) source_->leave();
  for (Sink* sink : sinks_) sink->finish(last);
  final_ = stats();
  drains_.clear();
  merge_.reset();
  sinks_.clear();
  queues_.clear();
  file_.reset();
}

std::vector<uint8_t> Capture::trailer() const {
  if (!plan_.info.has_statistics) return {};
  const uint64_t ended_ns = now_ns(CLOCK_REALTIME);
  const uint64_t started_ns = spans_.ended_ns() != 0 ? spans_.ended_ns() : started_ns_.load();
  return file_trailer(plan_.file, spans_.rest(totals(stats())), started_ns ? started_ns : ended_ns, ended_ns);
}

bool Capture::free() {
  const CpuAffinityScope affinity(plan_.cpus);
  fault_point("free.begin");
  return source_->release();
}

// An application that is gone, or stopped, may have counted copies that it did not hand over; one that goes on counts
// what comes after the end; where another tool took over, it counts for that.
LaneStats Capture::stats_of(const Lane& lane) const {
  using Trust = Ledger::Trust;
  using Reader = Ledger::Reader;
  const LaneState state = lane.state;
  const bool counts_for_us = state != LaneState::taken && state != LaneState::broken;
  const Trust trust = is_unconfirmed_ || !counts_for_us ? Trust::none : Trust::full;
  const SourceCounters source = [&] {
    const std::lock_guard lock(reading_);
    return counted_for(lane);
  }();
  const Reader reader = counters_.failure() == EPIPE ? Reader::has_left : Reader::wants;
  return {lane.id, state, ledger_.balance(lane.index, source, trust, reader)};
}

// Called with `reading_` held.
SourceCounters Capture::counted_for(const Lane& lane) const {
  if (started_ns_ == 0) return {};
  SourceCounters source = source_->counters(lane);
  if (lane.state == LaneState::taken) source.ringfull = 0;  // that of the other tool's ring
  return source;
}

CaptureStats Capture::stats() const {
  if (final_) return *final_;
  CaptureStats stats{};
  for (const Lane& lane : lanes_) stats.lanes.push_back(stats_of(lane));
  stats.limit_reached = limit_.is_reached();
  stats.sink_failure = counters_.failure();
  stats.sink_refusal = counters_.refusal();
  for (const SinkRemark remark :
       {SinkRemark::cut, SinkRemark::rate, SinkRemark::own, SinkRemark::slow, SinkRemark::low}) {
    if (counters_.has(remark)) stats.sink_remarks.push_back(remark);
  }
  stats.file_bytes = counters_.bytes_written();
  stats.source = source_->stats();
  return stats;
}

std::vector<InterfaceTotals> Capture::totals(const CaptureStats& stats) const {
  std::vector<InterfaceTotals> totals(plan_.interfaces.size());
  for (size_t i = 0; i < stats.lanes.size(); i++) {
    const Balance& balance = stats.lanes[i].balance;
    add_lane(totals[plan_.lanes[i].interface], balance.source, balance.written);
  }
  return totals;
}

}  // namespace dpcap
