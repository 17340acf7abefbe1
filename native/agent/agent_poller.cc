#include "agent/agent_poller.h"

#include <algorithm>
#include <utility>

#include "base/now.h"

namespace dpcap {
namespace {

// A thread of the application says that it is in a callback before it takes the time, which is seen a little later; and
// that time is the agent's, which may be up to a millisecond behind this process's clock (agent/library/clock.c,
// FAR_NS).
constexpr uint64_t kSeenLateNs = 2'000'000;
// A thread is in a callback for microseconds, or for as long as others have its CPU. One that does nothing there for
// longer was halted, by a debugger or SIGSTOP: until it goes on, the other lanes' packets do not wait for it, and its
// burst comes late, out of order.
constexpr uint64_t kHaltedNs = 200'000'000;
// A drain sleeps longer beside next to no packets, where each wake-up is felt. What comes at once, up to 8 million
// bursts and 2 GB a second, must have room meanwhile: a lane has 32,768 bursts (agent/library/memory.c).
constexpr uint32_t kSleepUs = 1000, kQuietSleepUs = 4000;
constexpr uint32_t kQuietPackets = 64;
constexpr uint32_t kPacketsPerUs = 8;
// Bytes of one write: see bench/RESULTS.md.
constexpr uint32_t kMostRunBytes = 256 * 1024;
// A packet takes about so much of the memory; for how long a thread may sleep.
constexpr uint64_t kPacketBytes = 256;

// The application's memory is input.
bool is_sane(const dpcap_agent_burst& burst, const AgentMemory& memory) {
  return burst.segment < memory.segments() && burst.begin <= memory.segment_bytes() &&
         burst.bytes <= memory.segment_bytes() - burst.begin && burst.bytes / kPcapHeadBytes >= burst.packets;
}

}  // namespace

AgentPoller::AgentPoller(const std::vector<PolledLane>& lanes, std::unique_ptr<SpanWriter> writer, Admission& admission)
    : writer_(std::move(writer)),
      admission_(admission),
      wall_offset_ns_(now_ns(CLOCK_REALTIME) - now_ns(CLOCK_MONOTONIC)) {
  for (const auto& [lane, memory, index, is_gone, arrived, delivered] : lanes) {
    inputs_.push_back({lane, memory, is_gone, arrived, delivered, &memory->lane(index), memory->bursts(index),
                       now_ns(CLOCK_MONOTONIC)});
  }
}

uint32_t AgentPoller::poll() {
  uint32_t found = 0;
  const uint64_t now = now_ns(CLOCK_MONOTONIC);
  for (Input& input : inputs_) found += look(input, now);
  found_ = found;
  return found;
}

uint32_t AgentPoller::look(Input& input, uint64_t now) {
  // Whether a thread is inside is read first: one that has left since has published its burst. One whose process has
  // ended does not come out, and publishes nothing more.
  const bool is_inside = !input.is_gone->load(std::memory_order_acquire) &&
                         __atomic_load_n(&input.shared->is_inside, __ATOMIC_ACQUIRE) != 0;
  const uint64_t published = __atomic_load_n(&input.shared->published, __ATOMIC_ACQUIRE);
  uint32_t found = 0;
  // More than the ring has cannot be: the word is damaged, and what it counts is not there.
  if (published - input.next > uint64_t{input.memory->burst_mask()} + 1) {
    input.lane->end(LaneState::broken);
    input.bound_ns = now;
    return 0;
  }
  for (; input.published != published; input.published++) {
    const dpcap_agent_burst& burst = input.at(input.published);
    found += burst.packets;
    input.last_ns = burst.steady_ns;
  }
  input.arrived->add(found);
  if (!is_inside || found != 0) input.idle_ns = now;
  const bool is_waited_for = is_inside && now - input.idle_ns < kHaltedNs;
  input.bound_ns = std::max(input.bound_ns, is_waited_for ? input.last_ns : now - kSeenLateNs);
  return found;
}

// Returns the input whose next burst is the earliest of all that may still come, and how far it may go on.
AgentPoller::Input* AgentPoller::first(More more, uint64_t* until_ns) {
  Input* earliest = nullptr;
  uint64_t earliest_ns = UINT64_MAX, others_ns = UINT64_MAX;
  for (Input& input : inputs_) {
    if (input.is_empty() && more == More::none) continue;
    const uint64_t ns = input.is_empty() ? input.bound_ns : input.at(input.next).steady_ns;
    if (ns < earliest_ns) {
      others_ns = std::exchange(earliest_ns, ns);
      earliest = &input;
    } else {
      others_ns = std::min(others_ns, ns);
    }
  }
  *until_ns = others_ns;
  return earliest != nullptr && !earliest->is_empty() ? earliest : nullptr;
}

uint32_t AgentPoller::deliver(More more) {
  uint32_t delivered = 0;
  uint64_t until_ns;
  while (Input* const input = first(more, &until_ns)) delivered += deliver_run(*input, until_ns);
  return delivered;
}

// Bursts whose records lie one behind the other go on together. All records of a segment have been put when the lane is
// done with it.
uint32_t AgentPoller::deliver_run(Input& input, uint64_t until_ns) {
  const uint64_t first = input.next;
  dpcap_agent_burst run = input.at(input.next++);
  for (; run.packets > 0 && !input.is_empty() && run.bytes < kMostRunBytes; input.next++) {
    const dpcap_agent_burst& next = input.at(input.next);
    if (next.packets == 0 || next.segment != run.segment || next.begin != run.begin + run.bytes ||
        next.steady_ns > until_ns)
      break;
    run.bytes += next.bytes;
    run.packets += next.packets;
    run.packet_bytes += next.packet_bytes;
  }
  if (run.packets > 0) {
    record(input, run);
  } else if (run.segment < input.memory->segments()) {
    input.memory->release(run.segment);
  }
  __atomic_store_n(&input.shared->consumed, input.next, __ATOMIC_RELEASE);
  input.delivered->add(input.next - first);
  return run.packets;
}

void AgentPoller::record(const Input& input, const dpcap_agent_burst& run) {
  const Lane& lane = *input.lane;
  const uint32_t admitted = admission_.admit(lane, run.packets);
  if (admitted == 0) return;
  Written written;
  if (is_sane(run, *input.memory)) {
    const RecordSpan span{input.memory->segment(run.segment) + run.begin, run.bytes, run.packets,
                          static_cast<uint16_t>(lane.index), 0};
    written = writer_->put(span, admitted, run.packet_bytes, lane);
  }
  admission_.recorded(lane, admitted, written);
}

uint64_t AgentPoller::complete_ns() const {
  uint64_t complete = UINT64_MAX;
  for (const Input& input : inputs_) {
    complete = std::min(complete, input.is_empty() ? input.bound_ns : input.at(input.next).steady_ns);
  }
  return complete + wall_offset_ns_;
}

bool AgentPoller::is_empty() const {
  return std::all_of(inputs_.begin(), inputs_.end(), [](const Input& input) { return input.is_empty(); });
}

uint32_t AgentPoller::longest_sleep_us() const {
  return found_ > kQuietPackets ? kSleepUs : std::clamp(room() / kPacketsPerUs, kSleepUs, kQuietSleepUs);
}

// Any of the memories may be the one that fills up first.
uint32_t AgentPoller::room() const {
  uint64_t least = UINT32_MAX;
  for (const Input& input : inputs_) least = std::min(least, input.memory->data_bytes() / kPacketBytes);
  return static_cast<uint32_t>(least);
}

}  // namespace dpcap
