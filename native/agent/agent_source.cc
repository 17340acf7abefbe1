#include "agent/agent_source.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "agent/agent_poller.h"
#include "base/error.h"
#include "base/fault_point.h"

namespace dpcap {

AgentSource::AgentSource(const AgentPlan& plan) : file_(plan.orders.front().file) {
  for (const std::string& socket : plan.sockets) {
    try {
      for (const AgentOrder& order : plan.orders) processes_.push_back(std::make_unique<AgentProcess>(socket, order));
    } catch (const Error& error) {
      const bool has_ended = error.err() == ECONNREFUSED || error.err() == ENOENT;
      if (!has_ended || (socket == plan.sockets.back() && processes_.empty())) throw;
    }
  }
}

// A lane goes on where one of the processes has it. Those that live know best why none does.
LaneState AgentSource::state(const Lane& lane) const {
  LaneState known = LaneState::process_gone;
  for (const auto& process : processes_) {
    const LaneState here = process->state(lane).value_or(LaneState::process_gone);
    if (here == LaneState::live) return here;
    if (here != LaneState::process_gone) known = here;
  }
  return known;
}

void AgentSource::prepare(const std::vector<Lane*>& lanes, const Ledger&) {
  lanes_ = lanes;
  for (const auto& process : processes_) process->prepare(lanes);
  for (const Lane* lane : lanes) {
    if (state(*lane) != LaneState::live)
      throw Error("ERR_PORT_UNKNOWN", text_of(lane->id) + " is not there any more", ENODEV);
  }
}

std::unique_ptr<Poller> AgentSource::make_poller(const std::vector<Lane*>& lanes, std::unique_ptr<SpanWriter> writer,
                                                 Admission& admission) {
  std::vector<PolledLane> polled;
  for (const auto& process : processes_) {
    const std::vector<PolledLane> some = process->polled(lanes);
    polled.insert(polled.end(), some.begin(), some.end());
  }
  return std::make_unique<AgentPoller>(polled, std::move(writer), admission);
}

std::unique_ptr<Poller> AgentSource::poller(std::vector<Lane*> lanes, RecordSink& sink, Admission& admission) {
  return make_poller(lanes, std::make_unique<FileSpanWriter>(file_.format, sink), admission);
}

std::unique_ptr<Poller> AgentSource::poller(std::vector<Lane*> lanes, FrameSink& sink, Admission& admission) {
  return make_poller(lanes, std::make_unique<FrameSpanWriter>(file_, sink), admission);
}

void AgentSource::enable() {
  for (const auto& process : processes_) process->open();
}

bool AgentSource::is_drained(const Lane& lane) const {
  return std::all_of(processes_.begin(), processes_.end(),
                     [&](const auto& process) { return process->is_drained(lane); });
}

// What a lane still has in the memory is recorded before it ends: these are the last packets before a crash.
void AgentSource::watch() {
  fault_point("agent.watching");
  for (const auto& process : processes_) process->watch();
  for (Lane* lane : lanes_) {
    const LaneState now = state(*lane);
    if (now == LaneState::live)
      lane->begin_again();
    else if (is_drained(*lane))
      lane->end(now);
  }
}

// When the connection ends, the agent stops and frees by itself: nothing is left in the application by a refusal.
std::vector<std::string> AgentSource::disable(Primary primary) {
  std::vector<std::string> left;
  for (const auto& process : processes_) {
    const std::string doubt = primary == Primary::gone ? "" : process->stop();
    if (!doubt.empty()) left.push_back(doubt);
  }
  return left;
}

bool AgentSource::release() {
  abandon();
  return true;
}

void AgentSource::abandon() {
  for (const auto& process : processes_) process->end();
}

SourceCounters AgentSource::counters(const Lane& lane) const {
  SourceCounters sum;
  for (const auto& process : processes_) {
    const SourceCounters one = process->counters(lane);
    sum.accepted += one.accepted;
    sum.filtered += one.filtered;
    sum.ringfull += one.ringfull;
    sum.contended += one.contended;
  }
  return sum;
}

SourceStats AgentSource::stats() const {
  SourceStats stats;
  for (const auto& process : processes_) {
    stats.memory += process->memory_bytes();
    stats.small_pages |= process->has_small_pages();
  }
  return stats;
}

}  // namespace dpcap
