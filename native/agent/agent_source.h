// The source that has the agents inside an application copy packets into shared memory, as final records. This process
// needs no library of DPDK for it. See Source for which thread may call what.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "agent/agent_process.h"
#include "capture/source.h"

namespace dpcap {

struct AgentPlan {
  std::vector<std::string> sockets;  // paths, one for each process of the application
  std::vector<AgentOrder> orders;    // one for each rule that a lane has
};

class AgentSource : public Source {
 public:
  // Throws as AgentClient, unless it is a process among others that has just ended.
  explicit AgentSource(const AgentPlan& plan);

  void prepare(const std::vector<Lane*>& lanes, const Ledger& ledger) override;
  std::unique_ptr<Poller> poller(std::vector<Lane*> lanes, RecordSink& sink, Admission& admission) override;
  std::unique_ptr<Poller> poller(std::vector<Lane*> lanes, FrameSink& sink, Admission& admission) override;
  void enable() override;
  void open() override {}
  bool grow(uint32_t, uint32_t) override { return false; }
  void watch() override;
  std::vector<std::string> settle() override { return {}; }
  std::vector<std::string> disable(Primary primary) override;
  void leave() override {}
  bool release() override;
  void abandon() override;
  SourceCounters counters(const Lane& lane) const override;
  SourceStats stats() const override;

 private:
  std::unique_ptr<Poller> make_poller(const std::vector<Lane*>& lanes, std::unique_ptr<SpanWriter> writer,
                                      Admission& admission);
  LaneState state(const Lane& lane) const;
  bool is_drained(const Lane& lane) const;

  const FileOptions file_;
  std::vector<std::unique_ptr<AgentProcess>> processes_;
  std::vector<Lane*> lanes_;
};

}  // namespace dpcap
