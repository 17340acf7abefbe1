// Takes bursts out of the memory of sessions, merges the lanes by the times of their bursts, and passes ranges of
// records on without a look at a packet. Drain thread.
#pragma once
#include <atomic>
#include <memory>
#include <vector>

#include "agent/agent_memory.h"
#include "agent/span_writer.h"
#include "base/counter.h"
#include "capture/source.h"

namespace dpcap {

// A lane in one process. Several processes may have the same one: queues that they poll in turn, or share out.
struct PolledLane {
  Lane* lane;
  AgentMemory* memory;
  uint32_t index;                    // in that memory
  const std::atomic<bool>* is_gone;  // nothing new comes from the process
  Counter* arrived;                  // packets that were found there
  Counter* delivered;                // bursts that were passed on
};

class AgentPoller : public Poller {
 public:
  AgentPoller(const std::vector<PolledLane>& lanes, std::unique_ptr<SpanWriter> writer, Admission& admission);

  uint32_t poll() override;
  uint32_t deliver(More more) override;
  uint64_t complete_ns() const override;
  bool is_empty() const override;
  uint32_t room() const override;
  uint32_t most_room() const override { return room(); }
  uint32_t longest_sleep_us() const override;
  void before_pause(bool) override {}
  void after_pause(uint32_t) override {}

 private:
  struct Input {
    Lane* lane;
    AgentMemory* memory;
    const std::atomic<bool>* is_gone;
    Counter* arrived;
    Counter* delivered;
    dpcap_agent_shared_lane* shared;
    const dpcap_agent_burst* bursts;
    uint64_t idle_ns;        // since when a thread is inside and publishes nothing
    uint64_t next = 0;       // the burst to deliver next
    uint64_t published = 0;  // bursts that are there
    uint64_t last_ns = 0;    // time of the last of them
    uint64_t bound_ns = 0;   // no burst from before this is still to come

    bool is_empty() const { return next == published; }
    const dpcap_agent_burst& at(uint64_t number) const { return bursts[number & memory->burst_mask()]; }
  };

  uint32_t look(Input& input, uint64_t now);
  Input* first(More more, uint64_t* until_ns);
  uint32_t deliver_run(Input& input, uint64_t until_ns);
  void record(const Input& input, const dpcap_agent_burst& run);

  const std::unique_ptr<SpanWriter> writer_;
  Admission& admission_;
  const uint64_t wall_offset_ns_;
  std::vector<Input> inputs_;
  uint32_t found_ = 0;  // packets, by the last poll()
};

}  // namespace dpcap
