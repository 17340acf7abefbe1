// The source that has the kernel copy packets where an application's drivers give and take them. Nothing of the
// application is changed, and this process needs no library of DPDK. See Source for which thread may call what.
#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "capture/plan.h"
#include "capture/source.h"
#include "ebpf/ebpf_poller.h"
#include "ebpf/loading/kernel_program.h"
#include "ebpf/probed_process.h"
#include "filter/ebpf_vm.h"
#include "record/pcap_format.h"

namespace dpcap {

struct EbpfPlan {
  std::vector<FastPathTable> tables;    // one for each process of the application
  std::vector<FilterPrograms> filters;  // see LaneRule
  KernelFilter
      kernel_filter;  // the only one, for the kernel; not set where it is too long for that, or ports have their own
  FileOptions file;
  uint64_t ring_bytes;
};

class EbpfSource : public Source {
 public:
  explicit EbpfSource(const EbpfPlan& plan);

  // Throws as KernelProgram as well.
  void prepare(const std::vector<Lane*>& lanes, const Ledger& ledger) override;
  std::unique_ptr<Poller> poller(std::vector<Lane*> lanes, RecordSink& sink, Admission& admission) override;
  std::unique_ptr<Poller> poller(std::vector<Lane*> lanes, FrameSink& sink, Admission& admission) override;
  void enable() override;
  void open() override;
  bool grow(uint32_t, uint32_t) override { return false; }
  void watch() override;
  std::vector<std::string> settle() override;
  std::vector<std::string> disable(Primary primary) override;
  void leave() override {}
  bool release() override;
  void abandon() override {}
  SourceCounters counters(const Lane& lane) const override;
  SourceStats stats() const override;

 private:
  std::unique_ptr<Poller> make_poller(const std::vector<Lane*>& lanes, std::unique_ptr<PacketWriter> writer,
                                      Admission& admission);
  bool has_unseen() const;
  bool is_filtered() const;
  uint32_t copy_bytes() const;
  std::string refusal() const;

  const EbpfPlan plan_;
  const std::vector<Filters> filters_;
  std::unique_ptr<KernelProgram> program_;
  std::vector<std::unique_ptr<ProbedProcess>> processes_;
  std::vector<Lane*> lanes_;
  EbpfTallies tallies_;
  double poll_ns_ = 0;
  std::atomic<bool> can_settle_{false};
  std::atomic<bool> has_told_unseen_{false};
  std::atomic<bool> has_told_missed_{false};
  std::atomic<bool> has_told_refusal_{false};
};

}  // namespace dpcap
