#include "pdump/callbacks.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <mutex>

#include "base/error.h"
#include "base/fault_point.h"
#include "base/now.h"
#include "primary/ports.h"
#include "primary/release.h"

namespace dpcap {
namespace {

// Every lane is asked about once before one is asked about again, and there is time for all of them where each answer
// may take its time.
constexpr uint64_t kDisableLimitMs = 5000;
uint64_t disable_limit_per_lane_ms() {
  return running_release().forwards_requests ? static_cast<uint64_t>(answer_ms()) : 0;
}

// The largest number of packets of a lane that may be counted but not yet be seen in its ring, or taken out of the ring
// but not yet be accounted for.
constexpr uint64_t kOnTheirWay = 8192;

// A copy that is shorter than an Ethernet header with a tag is too short for the primary to put a stripped tag back
// into. dpcap itself cuts off what is beyond the snaplen.
constexpr uint32_t kLeastSnaplen = 18;

constexpr timespec kBetweenPasses = {0, 20'000'000};

uint64_t now_ms() { return now_ns(CLOCK_MONOTONIC) / 1'000'000; }

Error enable_error(const LaneId& lane, const Reply& reply) {
  const std::string subject = text_of(lane);
  if (reply.outcome == Outcome::unknown) {
    return Error("ERR_PRIMARY_TIMEOUT", "the primary did not answer the request to capture " + subject, reply.err,
                 subject);
  }
  if (reply.outcome == Outcome::not_sent) {
    return Error("ERR_PRIMARY_TIMEOUT", "the request to capture " + subject + " did not reach the primary", reply.err,
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

SourceCounters since(const SourceCounters& now, const SourceCounters& then) {
  return {now.accepted - then.accepted, now.filtered - then.filtered, now.nombuf - then.nombuf,
          now.ringfull - then.ringfull};
}

}  // namespace

std::optional<SourceCounters> Callbacks::counters_now(const PdumpLane& lane) const {
  if (has_left_) return std::nullopt;
  return pdump_counters(lane.id().port, lane.id().queue, lane.id().direction);
}

void Callbacks::leave() {
  for (PdumpLane& lane : lanes_) counters(lane);
  has_left_ = true;
}

void Callbacks::enable(OwnerRecord& owner, const Order& order) {
  owner_ = &owner;
  order_ = order;
  states_.assign(lanes_.size(), CallbackState::disabled);
  removals_.assign(lanes_.size(), Removal::unknown);
  for (PdumpLane& lane : lanes_) {
    if (!is_present(lane.id())) {
      throw Error("ERR_PORT_UNKNOWN", text_of(lane.id()) + " has gone", ENODEV, text_of(lane.id()));
    }
    set_state(lane.index(), CallbackState::requested);
    fault_point("enable.sent");
    const Reply reply = request(lane, order);
    fault_point("enable.done");
    if (reply.outcome == Outcome::failed || reply.outcome == Outcome::not_sent) {
      set_state(lane.index(), CallbackState::disabled);
    }
    if (reply.outcome != Outcome::done) throw enable_error(lane.id(), reply);
    set_state(lane.index(), CallbackState::enabled);
  }
}

// A primary that refuses the filter may have no BPF, or another verifier. It is then asked for whole copies of all
// packets, and the filter runs in this process.
Reply Callbacks::request(PdumpLane& lane, const Order& order) {
  // After a refusal for an earlier lane, its filter is not sent again: the primary logs each refusal.
  const rte_bpf_prm* wanted = program_of(lane);
  const bool is_known = is_refused(wanted);
  const rte_bpf_prm* program = is_known ? nullptr : wanted;
  const uint32_t snaplen = std::max(std::min(order.snaplen, lane.lane.rule.snaplen), kLeastSnaplen);
  const auto ask = [&](uint32_t bytes, const rte_bpf_prm* filter) {
    return pdump_enable(lane.id(), {order.mode, bytes, lane.ring, order.pool, filter}, answer_ms());
  };
  const Reply reply = ask(is_known ? UINT32_MAX : snaplen, program);
  if (is_known && reply.outcome == Outcome::done) lane.is_filtered_here = true;
  if (reply.outcome != Outcome::failed || reply.err == EEXIST || program == nullptr) return reply;

  const Reply second = ask(UINT32_MAX, nullptr);
  if (second.outcome == Outcome::failed) return reply;  // the filter was not the cause
  lane.is_filtered_here = true;
  return second;
}

const rte_bpf_prm* Callbacks::program_of(const PdumpLane& lane) const {
  return (*order_.programs)[lane.lane.rule.filter].get(lane.id().direction);
}

bool Callbacks::is_refused(const rte_bpf_prm* program) const {
  return std::any_of(lanes_.begin(), lanes_.end(),
                     [&](const PdumpLane& lane) { return lane.is_filtered_here && program_of(lane) == program; });
}

void Callbacks::set_state(size_t lane, CallbackState state) {
  states_[lane] = state;
  owner_->set_state(lane, state);
}

// Some releases clear their counters shortly after the callback has become active (22.11.8 and others). Once all
// callbacks are enabled, the counters are stable, and the primary has found no mbuf and copied nothing: every later
// packet is in them exactly once.
void Callbacks::take_baseline() {
  for (PdumpLane& lane : lanes_) lane.baseline = lane.latest = counters_now(lane).value_or(SourceCounters{});
}

void Callbacks::forget_nombuf() {
  for (PdumpLane& lane : lanes_) {
    lane.baseline.nombuf = lane.latest.nombuf = counters_now(lane).value_or(SourceCounters{}).nombuf;
    lane.has_baseline.store(true, std::memory_order_release);
  }
}

void Callbacks::watch() {
  if (has_left_) return;
  for (PdumpLane& lane : lanes_) {
    if (states_.empty() || states_[lane.index()] != CallbackState::enabled) continue;
    if (lane.lane.is_live() && !is_present(lane.id())) {
      lane.lane.end(slot_holds(lane.id().port, lane.id().device) ? LaneState::queue_gone : LaneState::port_gone);
    }
    if (!is_taken(lane)) continue;
    lane.lane.end(LaneState::taken);
    set_state(lane.index(), CallbackState::taken);
  }
}

// Tells whether the counters are those of another tool's callback. What dpcap's callback counts is in the lane's ring
// at most one burst later, and that ring never fills. (Some releases clear the counters when a callback is enabled,
// others go on counting.)
bool Callbacks::is_taken(const PdumpLane& lane) const {
  const auto goes_on = [] {};
  const uint64_t arrived_before = lane.arrived_at_least(goes_on);
  const auto now = counters_now(lane);
  if (!now) return false;
  const SourceCounters counted = since(*now, lane.baseline);
  const bool is_reset = now->accepted < lane.baseline.accepted || counted.accepted < arrived_before;
  return is_reset || counted.ringfull != 0 || counted.accepted > lane.arrived_at_most(goes_on) + kOnTheirWay;
}

bool Callbacks::can_settle() const {
  return std::any_of(lanes_.begin(), lanes_.end(), [this](const PdumpLane& lane) {
    return !lane.lane.is_live() && states_[lane.index()] == CallbackState::enabled && is_reachable(lane.id());
  });
}

void Callbacks::settle() {
  for (PdumpLane& lane : lanes_) {
    if (!lane.lane.is_live() && states_[lane.index()] == CallbackState::enabled && is_reachable(lane.id())) {
      remove(lane.index(), disable_timeout_ms());
    }
  }
}

void Callbacks::remove(size_t lane, int timeout_ms) {
  fault_point("disable.sent");
  removals_[lane] = ask_to_remove(lane, timeout_ms);
  fault_point("disable.done");
  if (is_off(removals_[lane])) set_state(lane, CallbackState::disabled);
}

Removal Callbacks::ask_to_remove(size_t lane, int timeout_ms) const {
  const LaneId& id = lanes_[lane].id();
  if (states_[lane] != CallbackState::taken) return pdump_disable(id, timeout_ms);
  return pdump_disable_unless_taken(id, {order_.mode, 0, lanes_[lane].ring, order_.pool, nullptr}, timeout_ms);
}

std::vector<std::string> Callbacks::disable() {
  // Captures of this process take turns, so that each has its time, and not what the others leave of it.
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  const uint64_t deadline = now_ms() + std::max(kDisableLimitMs, disable_limit_per_lane_ms() * states_.size());
  bool is_worthwhile = true;
  while (is_worthwhile && !is_abandoned_) {
    is_worthwhile = false;
    for (size_t i = 0; i < states_.size(); i++) {
      const uint64_t now = now_ms();
      if (states_[i] == CallbackState::disabled || now >= deadline || is_abandoned_) continue;
      remove(i, std::min(disable_timeout_ms(), static_cast<int>(deadline - now)));
      is_worthwhile |= states_[i] != CallbackState::disabled && removals_[i] == Removal::unknown;
    }
    is_worthwhile &= now_ms() < deadline;
    if (is_worthwhile) nanosleep(&kBetweenPasses, nullptr);  // a request may fail at once
  }
  return unsettled();
}

std::vector<std::string> Callbacks::unsettled() const {
  std::vector<std::string> lanes;
  for (size_t i = 0; i < states_.size(); i++) {
    if (states_[i] == CallbackState::disabled) continue;
    lanes.push_back(text_of(lanes_[i].id()) + ": " + reason_of(removals_[i]));
  }
  return lanes;
}

// A primary that quits in order takes its counters away, and counters that another tool's capture has cleared count for
// that capture: then the last counters that were read hold.
SourceCounters Callbacks::counters(const PdumpLane& lane) const {
  const auto now = counters_now(lane);
  const bool is_ours = states_.empty() || states_[lane.index()] != CallbackState::taken;
  if (now && is_ours && now->accepted >= lane.latest.accepted) lane.latest = *now;
  return since(lane.latest, lane.baseline);
}

bool Callbacks::is_filtering_here() const {
  return std::any_of(lanes_.begin(), lanes_.end(), [](const PdumpLane& lane) { return lane.is_filtered_here.load(); });
}

}  // namespace dpcap
