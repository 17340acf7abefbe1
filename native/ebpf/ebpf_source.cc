#include "ebpf/ebpf_source.h"

#include <algorithm>
#include <utility>

#include "base/fault_point.h"
#include "ebpf/loading/poll_cost.h"

namespace dpcap {
namespace {

// What is copied of a packet is what can be recorded of it.
FileOptions within_copy(FileOptions file) {
  file.snaplen = std::min(file.snaplen, DPCAP_PROBE_MOST_BYTES);
  return file;
}

}  // namespace

EbpfSource::EbpfSource(const EbpfPlan& plan) : plan_(plan), filters_(interpreters(plan.filters)) {}

bool EbpfSource::is_filtered() const {
  return std::any_of(lanes_.begin(), lanes_.end(),
                     [&](const Lane* lane) { return !plan_.filters[lane->rule.filter].rx.empty(); });
}

// Returns how much is copied of a packet that needs no filter here any more.
uint32_t EbpfSource::copy_bytes() const {
  uint32_t most = 0;
  for (const Lane* lane : lanes_) most = std::max(most, lane->rule.snaplen);
  return std::min(most, within_copy(plan_.file).snaplen);
}

void EbpfSource::prepare(const std::vector<Lane*>& lanes, const Ledger&) {
  lanes_ = lanes;
  tallies_.unread.resize(lanes.size());
  const auto count = static_cast<uint32_t>(lanes.size());
  const KernelProgram::Sizes sizes{count + 1, plan_.ring_bytes, copy_bytes()};
  program_ = is_filtered() ? std::make_unique<KernelProgram>(sizes, plan_.kernel_filter)
                           : std::make_unique<KernelProgram>(sizes);
  poll_ns_ = poll_cost_ns(*program_, count, read_entry(plan_.tables));
  for (const FastPathTable& table : plan_.tables) {
    const auto number = static_cast<uint32_t>(processes_.size());
    processes_.push_back(std::make_unique<ProbedProcess>(table, number, *program_));
  }
}

std::unique_ptr<Poller> EbpfSource::make_poller(const std::vector<Lane*>& lanes, std::unique_ptr<PacketWriter> writer,
                                                Admission& admission) {
  const auto take = [program = program_.get()](const auto& hold) { program->take_bursts(hold); };
  const EbpfInput input{take, filters_, tallies_, plan_.ring_bytes};
  return std::make_unique<EbpfPoller>(lanes, input, std::move(writer), admission);
}

std::unique_ptr<Poller> EbpfSource::poller(std::vector<Lane*> lanes, RecordSink& sink, Admission& admission) {
  return make_poller(lanes, std::make_unique<RecordWriter>(within_copy(plan_.file), CopyMode::plain, sink), admission);
}

std::unique_ptr<Poller> EbpfSource::poller(std::vector<Lane*> lanes, FrameSink& sink, Admission& admission) {
  return make_poller(lanes, std::make_unique<FrameWriter>(CopyMode::plain, sink), admission);
}

void EbpfSource::enable() {
  for (const auto& process : processes_) process->attach(lanes_);
}

void EbpfSource::open() {
  for (const auto& process : processes_) process->open();
}

void EbpfSource::watch() {
  if (!processes_.empty()) processes_.front()->note_ports();
  const auto has_changed = [](const auto& process) { return process->has_changed(); };
  if (std::any_of(processes_.begin(), processes_.end(), has_changed)) can_settle_ = true;
  if (!has_told_unseen_ && has_unseen()) can_settle_ = true;
  if (!has_told_missed_ && program_ && program_->missed() > 0) can_settle_ = true;
  if (!has_told_refusal_ && !refusal().empty()) can_settle_ = true;
}

// Returns why the kernel does not filter, for people; empty when it does, or there is no filter.
std::string EbpfSource::refusal() const {
  if (!is_filtered()) return "";
  const std::string name = "`" + plan_.kernel_filter.text + "`";
  const std::string what = ", so that all of every packet is copied, and filtered here";
  if (plan_.filters.size() > 1) return "ports have filters of their own" + what;
  if (!plan_.kernel_filter.is_set()) return "the filter " + name + " is too long for the kernel" + what;
  const std::string& words = program_->filter_refusal();
  return words.empty() ? "" : "the kernel does not take the filter " + name + what + ":\n" + words;
}

// Whether there were packets in such calls is not known.
bool EbpfSource::has_unseen() const {
  return std::any_of(lanes_.begin(), lanes_.end(), [&](const Lane* lane) {
    return program_->counted(static_cast<uint32_t>(lane->index), &dpcap_probe_lane::unseen) > 0;
  });
}

std::vector<std::string> EbpfSource::settle() {
  can_settle_ = false;
  std::vector<std::string> all;
  for (const auto& process : processes_) {
    const std::vector<std::string> told = process->follow();
    all.insert(all.end(), told.begin(), told.end());
  }
  if (!has_told_unseen_ && has_unseen()) {
    has_told_unseen_ = true;
    all.push_back("more than 64 threads call drivers, or drivers call drivers: packets of some are not seen");
  }
  const uint64_t missed = has_told_missed_ ? 0 : program_->missed();
  if (missed > 0) {
    has_told_missed_ = true;
    all.push_back("the kernel was in another of its programs at " + std::to_string(missed) +
                  " or more of the application's calls: what these gave or took is not seen");
  }
  if (!has_told_refusal_.exchange(true) && !refusal().empty()) all.push_back(refusal());
  return all;
}

// The kernel takes a probe out when no thread is in its program any more.
std::vector<std::string> EbpfSource::disable(Primary) {
  fault_point("ebpf.stopping");
  for (const auto& process : processes_) process->detach();
  return {};
}

bool EbpfSource::release() { return true; }

SourceCounters EbpfSource::counters(const Lane& lane) const {
  if (!program_) return {};
  const auto index = static_cast<uint32_t>(lane.index);
  const auto counted = [&](__u64 dpcap_probe_lane::*counter) { return program_->counted(index, counter); };
  SourceCounters counters;
  const uint64_t unread = tallies_.unread[index];
  const uint64_t accepted = counted(&dpcap_probe_lane::accepted);
  counters.filtered = counted(&dpcap_probe_lane::filtered);
  counters.accepted = accepted - std::min(accepted, unread);
  counters.ringfull = counted(&dpcap_probe_lane::ringfull);
  counters.unread = counted(&dpcap_probe_lane::unread) + unread;
  counters.calls = counted(&dpcap_probe_lane::calls);
  counters.full_calls = counted(&dpcap_probe_lane::full);
  return counters;
}

SourceStats EbpfSource::stats() const {
  SourceStats stats;
  stats.poll_ns = poll_ns_;
  stats.can_settle = can_settle_;
  stats.clock_steps = {tallies_.clock_steps, tallies_.steps_ns};
  return stats;
}

}  // namespace dpcap
