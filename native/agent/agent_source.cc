#include "agent/agent_source.h"

#include <cerrno>
#include <cstring>

#include "agent/agent_poller.h"
#include "base/error.h"
#include "base/fault_point.h"

namespace dpcap {
namespace {

// Memory has to be made and touched.
constexpr int kPrepareMs = 10'000;
constexpr int kAnswerMs = 5000;
// Each answer to a request to stop comes within 50 ms.
constexpr int kStopTries = 100;

Error refusal(const char* what, int err) {
  switch (err) {
    case ENOMEM:
    case ENOSPC:
      return Error("ERR_NO_MEMORY", std::string("the application has no memory ") + what, err);
    case EUSERS:
      return Error("ERR_CAPTURE_BUSY", std::string("the agent has as many captures as it serves: it refused ") + what,
                   err);
    case ENODEV:
      return Error("ERR_PORT_UNKNOWN", std::string("a port or queue is not there any more: the agent refused ") + what,
                   err);
    default:
      return Error("ERR_ENABLE_FAILED", std::string("the agent refused ") + what, err);
  }
}

template <typename T>
void append(std::vector<uint8_t>& to, const T& value) {
  const size_t before = to.size();
  to.resize(before + sizeof value);
  memcpy(to.data() + before, &value, sizeof value);
}

dpcap_agent_lane wire(const Lane& lane) {
  dpcap_agent_lane wire{};
  wire.port = lane.id.port;
  wire.queue = lane.id.queue;
  wire.direction = lane.id.direction == Direction::rx ? DPCAP_AGENT_RX : DPCAP_AGENT_TX;
  wire.interface = lane.interface;
  if (lane.id.device.size() >= sizeof wire.device) {
    throw Error("ERR_PORT_UNKNOWN", "the device name " + lane.id.device + " is too long", ENAMETOOLONG, lane.id.device);
  }
  memcpy(wire.device, lane.id.device.c_str(), lane.id.device.size() + 1);
  return wire;
}

}  // namespace

AgentSource::AgentSource(const AgentPlan& plan) : plan_(plan), client_(plan.socket) {}

std::vector<uint8_t> AgentSource::order() const {
  constexpr size_t kInstruction = 8;
  dpcap_agent_prepare head{};
  head.memory_bytes = plan_.memory;
  head.format = plan_.file.format == FileFormat::pcap ? DPCAP_AGENT_PCAP : DPCAP_AGENT_PCAPNG;
  head.nanoseconds = plan_.file.nanoseconds;
  head.snaplen = plan_.file.snaplen;
  head.lane_count = static_cast<uint32_t>(lanes_.size());
  head.rx_instructions = static_cast<uint32_t>(plan_.program.size() / kInstruction);
  head.tx_instructions = static_cast<uint32_t>(plan_.program_tx.size() / kInstruction);
  std::vector<uint8_t> bytes;
  append(bytes, head);
  for (const Lane* lane : lanes_) append(bytes, wire(*lane));
  bytes.insert(bytes.end(), plan_.program.begin(), plan_.program.end());
  bytes.insert(bytes.end(), plan_.program_tx.begin(), plan_.program_tx.end());
  return bytes;
}

void AgentSource::prepare(const std::vector<Lane*>& lanes, const Ledger&) {
  lanes_ = lanes;
  const AgentClient::Answer answer = client_.ask(DPCAP_AGENT_PREPARE, order(), kPrepareMs);
  if (answer.err != 0) throw refusal("for the copies", answer.err);
  dpcap_agent_prepared made{};
  if (answer.body.size() == sizeof made) memcpy(&made, answer.body.data(), sizeof made);
  memory_.emplace(made, static_cast<uint32_t>(lanes.size()), answer.descriptors);
  fault_point("agent.prepared");
}

std::unique_ptr<Poller> AgentSource::poller(std::vector<Lane*> lanes, RecordSink& sink, Admission& admission) {
  return std::make_unique<AgentPoller>(lanes, *memory_, std::make_unique<FileSpanWriter>(plan_.file.format, sink),
                                       admission);
}

std::unique_ptr<Poller> AgentSource::poller(std::vector<Lane*> lanes, FrameSink& sink, Admission& admission) {
  return std::make_unique<AgentPoller>(lanes, *memory_, std::make_unique<FrameSpanWriter>(plan_.file.format, sink),
                                       admission);
}

void AgentSource::enable() {
  const AgentClient::Answer answer = client_.ask(DPCAP_AGENT_OPEN, {}, kAnswerMs);
  if (answer.err != 0) throw refusal("to capture", answer.err);
  fault_point("agent.opened");
}

void AgentSource::watch() {
  for (Lane* lane : lanes_) {
    const auto& shared = memory_->lane(static_cast<uint32_t>(lane->index));
    if (__atomic_load_n(&shared.is_ended, __ATOMIC_ACQUIRE) != 0) lane->end(LaneState::port_gone);
  }
}

// When the connection ends, the agent stops and frees by itself: nothing is left in the application by a refusal.
std::vector<std::string> AgentSource::disable(Primary primary) {
  if (primary == Primary::gone || !memory_) return {};
  fault_point("agent.stopping");
  for (int tries = 0; tries < kStopTries; tries++) {
    if (client_.ask(DPCAP_AGENT_STOP, {}, kAnswerMs).err == 0) return {};
  }
  return {"a thread of the application does not leave the agent's callback"};
}

bool AgentSource::release() {
  client_.end();
  return true;
}

SourceCounters AgentSource::counters(const Lane& lane) const {
  const dpcap_agent_shared_lane& shared = memory_->lane(static_cast<uint32_t>(lane.index));
  const auto load = [](const uint64_t& counter) { return __atomic_load_n(&counter, __ATOMIC_RELAXED); };
  return {load(shared.accepted), load(shared.filtered), load(shared.refused), load(shared.full)};
}

SourceStats AgentSource::stats() const {
  SourceStats stats;
  stats.memory = memory_ ? memory_->data_bytes() : 0;
  return stats;
}

}  // namespace dpcap
