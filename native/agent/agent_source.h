// The source that has an agent inside the application copy packets into shared memory, as final records. This process
// needs no library of DPDK for it. See Source for which thread may call what.
#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/agent_client.h"
#include "agent/agent_memory.h"
#include "capture/source.h"
#include "record/pcap_format.h"

namespace dpcap {

struct AgentPlan {
  std::string socket;               // path
  std::vector<uint8_t> program;     // ebpf_insn bytes for rx, empty for match-all
  std::vector<uint8_t> program_tx;  // the same for tx
  FileOptions file;
  uint64_t memory;  // bytes for records
};

class AgentSource : public Source {
 public:
  // Throws as AgentClient.
  explicit AgentSource(const AgentPlan& plan);

  void prepare(const std::vector<Lane*>& lanes, const Ledger& ledger) override;
  std::unique_ptr<Poller> poller(std::vector<Lane*> lanes, RecordSink& sink, Admission& admission) override;
  std::unique_ptr<Poller> poller(std::vector<Lane*> lanes, FrameSink& sink, Admission& admission) override;
  void enable() override;
  void open() override {}
  bool grow(uint32_t, uint32_t) override { return false; }
  void watch() override;
  void settle() override {}
  std::vector<std::string> disable(Primary primary) override;
  void leave() override {}
  bool release() override;
  void abandon() override { client_.end(); }
  SourceCounters counters(const Lane& lane) const override;
  SourceStats stats() const override;

 private:
  std::vector<uint8_t> order() const;

  const AgentPlan plan_;
  AgentClient client_;
  std::vector<Lane*> lanes_;
  std::optional<AgentMemory> memory_;
};

}  // namespace dpcap
