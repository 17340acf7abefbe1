// A lane: one port, queue and direction. Each packet of a capture belongs to one lane.
//
// A lane is shared by the drain thread that records it and by the threads that watch its port. What became of its
// packets is in the Ledger.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/direction.h"

namespace dpcap {

struct LaneId {
  std::string device;
  uint16_t port;  // the slot that the device was in: callbacks belong to slots, and outlive their devices
  uint16_t queue;
  Direction direction;
};

// "net_null0 queue 0 rx"
inline std::string text_of(const LaneId& lane) {
  return lane.device + " queue " + std::to_string(lane.queue) + (lane.direction == Direction::rx ? " rx" : " tx");
}

// What is captured of a lane's packets.
struct LaneRule {
  uint32_t snaplen = UINT32_MAX;  // bytes of a packet; the file's snaplen holds as well
  uint32_t filter = 0;            // which of the capture's filters

  bool operator==(const LaneRule& other) const { return snaplen == other.snaplen && filter == other.filter; }
};

// Whether the packets that come through a lane are still the lane's own.
enum class LaneState {
  live,
  port_gone,     // another device, or none, is in the port's slot: the packets may be another port's
  queue_gone,    // the port has fewer queues now
  taken,         // another tool captures there now, in dpcap's place
  process_gone,  // the process that polled it, or its agent, has ended
  broken,        // what the application's memory says of it cannot be
};

struct Lane {
  Lane(size_t index_, LaneId id_, uint32_t interface_, const LaneRule& rule_ = {})
      : index(index_), id(std::move(id_)), interface(interface_), rule(rule_) {}

  const size_t index;  // in the capture's lanes and in its ledger
  const LaneId id;
  const uint32_t interface;  // index into the file's interfaces
  const LaneRule rule;

  // Whichever thread sees first that the lane has ended changes it: the drain thread, which records nothing from then
  // on, or the thread that watches. Where the source goes on with a port that is back, the latter does so here.
  std::atomic<LaneState> state{LaneState::live};
  bool is_live() const { return state.load(std::memory_order_relaxed) == LaneState::live; }
  void end(LaneState how) {
    LaneState live = LaneState::live;
    state.compare_exchange_strong(live, how);
  }
  void begin_again() {
    for (LaneState gone : {LaneState::port_gone, LaneState::queue_gone})
      state.compare_exchange_strong(gone, LaneState::live);
  }
};

}  // namespace dpcap
