// A session with the agent of one process, as a part of a capture: lanes, and the memory that their packets pass
// through. A capture has one for each process of the application, and for each snaplen and filter: all lanes of a
// session have the same. One thread at a time, unless it says something else.
#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/agent_client.h"
#include "agent/agent_memory.h"
#include "agent/agent_poller.h"
#include "base/counter.h"
#include "capture/plan.h"
#include "record/lane.h"
#include "record/ledger.h"
#include "record/pcap_format.h"

namespace dpcap {

// What every process of a capture is asked for, for those of its lanes that have the same rule.
struct AgentOrder {
  LaneRule rule;
  FilterPrograms filter;
  FileOptions file;
  uint64_t memory;  // bytes for records
};

class AgentProcess {
 public:
  // Throws as AgentClient.
  AgentProcess(const std::string& socket, const AgentOrder& order);

  // Has the agent make memory for those of the lanes that the process has and the order is about. Throws ERR_NO_MEMORY,
  // ERR_PORT_UNKNOWN, ERR_CAPTURE_BUSY, ERR_USAGE when they are more than the agent takes at once.
  void prepare(const std::vector<Lane*>& lanes);
  // Packets flow from here on. Throws ERR_CAPTURE_BUSY.
  void open();
  // Ends that. Returns nothing when no thread of the process is inside any more, else why that is not known.
  std::string stop();
  // Ends the session, and every wait for an answer. Any thread.
  void end() { client_.end(); }

  // Notices that the process has ended.
  void watch();
  // How it is with a lane here; nothing when the process has never had it.
  std::optional<LaneState> state(const Lane& lane) const;
  // Whether all that came from here has been passed on.
  bool is_drained(const Lane& lane) const;
  // What was counted here for a lane. A process that has ended may have done so before it had counted its last burst:
  // then what has arrived is taken as accepted.
  SourceCounters counters(const Lane& lane) const;

  // Those of the lanes that the process has, as a poller sees them. After prepare().
  std::vector<PolledLane> polled(const std::vector<Lane*>& lanes);
  uint32_t pid() const { return hello_.process.pid; }
  uint64_t memory_bytes() const { return memory_ ? memory_->data_bytes() : 0; }
  bool has_small_pages() const { return memory_ && !memory_->has_huge_pages(); }

 private:
  bool is_gone() const { return is_gone_.load(std::memory_order_acquire); }
  const dpcap_agent_port* find_port(const Lane& lane) const;
  // Its place in lanes_; nothing when the process does not have it.
  std::optional<size_t> find(const Lane& lane) const;
  const dpcap_agent_shared_lane& shared(size_t place) const { return memory_->lane(static_cast<uint32_t>(place)); }
  dpcap_agent_lane to_wire(const Lane& lane) const;
  std::vector<uint8_t> to_message() const;
  // Asks, unless the process is gone. Returns the errno of the answer, 0 when there is nobody any more.
  int ask(dpcap_agent_operation operation);

  const AgentOrder order_;
  AgentClient client_;
  const AgentHello hello_;
  std::vector<Lane*> lanes_;
  std::unique_ptr<Counter[]> arrived_;    // packets of each of them that a drain thread has found
  std::unique_ptr<Counter[]> delivered_;  // bursts of each of them that it has passed on
  std::optional<AgentMemory> memory_;
  std::atomic<bool> is_gone_{false};  // the process has ended: nothing new comes from it
};

}  // namespace dpcap
