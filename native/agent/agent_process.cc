#include "agent/agent_process.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/fault_point.h"

namespace dpcap {
namespace {

constexpr int kHelloMs = 2000;
// Memory has to be made and touched.
constexpr int kPrepareMs = 10'000;
constexpr int kAnswerMs = 5000;
// Each answer to a request to stop comes within 50 ms.
constexpr int kStopTries = 100;

// `what`: what the agent cannot do.
Error refusal(const std::string& what, int err) {
  switch (err) {
    case ENOMEM:
    case ENOSPC:
      return Error("ERR_NO_MEMORY", what + ": the application has no memory to spare", err);
    case EUSERS:
      return Error("ERR_CAPTURE_BUSY", what + ": it has as many captures as it serves", err);
    case ENODEV:
      return Error("ERR_PORT_UNKNOWN", what + ": a port or queue is not there any more", err);
    default:
      return Error("ERR_ENABLE_FAILED", what + ": " + strerror(err), err);
  }
}

Error too_many(size_t lanes) {
  return Error("ERR_USAGE", "the agent captures up to " + std::to_string(DPCAP_AGENT_MAX_LANES) +
                                " queues and directions at once, and these are " + std::to_string(lanes) +
                                ": choose fewer with -i, -Q or --queue");
}

template <typename T>
void append(std::vector<uint8_t>& to, const T& value) {
  const size_t before = to.size();
  to.resize(before + sizeof value);
  memcpy(to.data() + before, &value, sizeof value);
}

}  // namespace

AgentProcess::AgentProcess(const std::string& socket, const AgentOrder& order)
    : order_(order), client_(socket), hello_(ask_hello(client_, kHelloMs)) {
  fault_point("agent.connected");
}

// The processes of an application may give a device different numbers, and need not all have it.
const dpcap_agent_port* AgentProcess::find_port(const Lane& lane) const {
  const auto& ports = hello_.ports;
  const auto found = std::find_if(ports.begin(), ports.end(), [&](const dpcap_agent_port& port) {
    const bool is_rx = lane.id.direction == Direction::rx;
    return lane.id.device == std::string(port.device, strnlen(port.device, sizeof port.device)) &&
           lane.id.queue < (is_rx ? port.rx_queues : port.tx_queues);
  });
  return found == ports.end() ? nullptr : &*found;
}

// The name goes back as it came: an agent need not have ended it.
dpcap_agent_lane AgentProcess::to_wire(const Lane& lane) const {
  const dpcap_agent_port& port = *find_port(lane);
  dpcap_agent_lane wire{};
  wire.port = port.id;
  wire.queue = lane.id.queue;
  wire.direction = lane.id.direction == Direction::rx ? DPCAP_AGENT_RX : DPCAP_AGENT_TX;
  wire.interface = lane.interface;
  static_assert(sizeof wire.device == sizeof port.device);
  memcpy(wire.device, port.device, sizeof wire.device);
  return wire;
}

std::vector<uint8_t> AgentProcess::to_message() const {
  constexpr size_t kInstruction = 8;
  dpcap_agent_prepare head{};
  head.memory_bytes = order_.memory;
  head.format = order_.file.format == FileFormat::pcap ? DPCAP_AGENT_PCAP : DPCAP_AGENT_PCAPNG;
  head.nanoseconds = order_.file.nanoseconds;
  head.snaplen = std::min(order_.file.snaplen, order_.rule.snaplen);
  head.lane_count = static_cast<uint32_t>(lanes_.size());
  head.rx_instructions = static_cast<uint32_t>(order_.filter.rx.size() / kInstruction);
  head.tx_instructions = static_cast<uint32_t>(order_.filter.tx.size() / kInstruction);
  std::vector<uint8_t> bytes;
  append(bytes, head);
  for (const Lane* lane : lanes_) append(bytes, to_wire(*lane));
  bytes.insert(bytes.end(), order_.filter.rx.begin(), order_.filter.rx.end());
  bytes.insert(bytes.end(), order_.filter.tx.begin(), order_.filter.tx.end());
  return bytes;
}

void AgentProcess::prepare(const std::vector<Lane*>& lanes) {
  for (Lane* lane : lanes) {
    if (lane->rule == order_.rule && find_port(*lane) != nullptr) lanes_.push_back(lane);
  }
  arrived_.reset(new Counter[lanes_.size()]());
  delivered_.reset(new Counter[lanes_.size()]());
  if (lanes_.empty()) return;
  if (lanes_.size() > DPCAP_AGENT_MAX_LANES) throw too_many(lanes_.size());
  const AgentClient::Answer answer = client_.ask(DPCAP_AGENT_PREPARE, to_message(), kPrepareMs);
  fault_point("agent.answered");
  if (answer.err == EUSERS) throw refusal("the agent cannot begin another capture", answer.err);
  if (answer.err != 0) throw refusal("the agent cannot make memory for the copies", answer.err);
  dpcap_agent_prepared made{};
  if (answer.body.size() == sizeof made) memcpy(&made, answer.body.data(), sizeof made);
  memory_.emplace(made, static_cast<uint32_t>(lanes_.size()), answer.descriptors);
  fault_point("agent.prepared");
}

int AgentProcess::ask(dpcap_agent_operation operation) {
  if (!memory_ || is_gone()) return 0;
  try {
    return client_.ask(operation, {}, kAnswerMs).err;
  } catch (const Error& error) {
    if (error.code() != "ERR_PRIMARY_GONE") throw;
    is_gone_.store(true, std::memory_order_release);
    return 0;
  }
}

void AgentProcess::open() {
  const int err = ask(DPCAP_AGENT_OPEN);
  if (err != 0) throw refusal("the agent cannot begin to capture", err);
  fault_point("agent.opened");
}

std::string AgentProcess::stop() {
  fault_point("agent.stopping");
  try {
    for (int tries = 0; tries < kStopTries; tries++) {
      if (ask(DPCAP_AGENT_STOP) != 0) continue;
      fault_point("agent.stopped");
      return "";
    }
  } catch (const Error& error) {
    return std::string(error.what()) + " (pid " + std::to_string(pid()) + ")";
  }
  return "a thread of process " + std::to_string(pid()) + " does not leave the agent's callback";
}

void AgentProcess::watch() {
  if (client_.is_hung_up()) is_gone_.store(true, std::memory_order_release);
}

std::optional<size_t> AgentProcess::find(const Lane& lane) const {
  const auto found = std::find(lanes_.begin(), lanes_.end(), &lane);
  if (found == lanes_.end() || !memory_) return std::nullopt;
  return found - lanes_.begin();
}

// The agent numbers the lanes in the order of the message.
std::vector<PolledLane> AgentProcess::polled(const std::vector<Lane*>& lanes) {
  std::vector<PolledLane> polled;
  for (uint32_t i = 0; i < lanes_.size(); i++) {
    const bool is_wanted = std::find(lanes.begin(), lanes.end(), lanes_[i]) != lanes.end();
    if (is_wanted) polled.push_back({lanes_[i], &*memory_, i, &is_gone_, &arrived_[i], &delivered_[i]});
  }
  return polled;
}

std::optional<LaneState> AgentProcess::state(const Lane& lane) const {
  const auto place = find(lane);
  if (!place) return std::nullopt;
  if (is_gone()) return LaneState::process_gone;
  switch (__atomic_load_n(&shared(*place).ended, __ATOMIC_ACQUIRE)) {
    case DPCAP_AGENT_GOES_ON:
      return LaneState::live;
    case DPCAP_AGENT_QUEUE_GONE:
      return LaneState::queue_gone;
    default:
      return LaneState::port_gone;
  }
}

bool AgentProcess::is_drained(const Lane& lane) const {
  const auto place = find(lane);
  return !place || __atomic_load_n(&shared(*place).published, __ATOMIC_ACQUIRE) == delivered_[*place];
}

SourceCounters AgentProcess::counters(const Lane& lane) const {
  const auto place = find(lane);
  if (!place) return {};
  const auto load = [](const uint64_t& counter) { return __atomic_load_n(&counter, __ATOMIC_RELAXED); };
  const dpcap_agent_shared_lane& there = shared(*place);
  const uint64_t full = load(there.full);
  const uint64_t accepted = is_gone() ? arrived_[*place] + full : load(there.accepted);
  return {accepted, load(there.filtered), 0, full, load(there.contended)};
}

}  // namespace dpcap
