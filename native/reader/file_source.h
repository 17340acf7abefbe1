// The source that reads a file of packets: no application is behind it, and no library of DPDK. See Source for which
// thread may call what.
#pragma once
#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "capture/source.h"
#include "reader/file_poller.h"

namespace dpcap {

struct ReaderPlan {
  std::shared_ptr<InputFile> input;  // open; or not, when the capture ended before: then nothing is read
  std::vector<uint8_t> program;      // eBPF; empty: all packets
  FileOptions file;
  Selection selection;
};

class FileSource : public Source {
 public:
  // `on_end`: called once, when the file has been read to its end.
  FileSource(const ReaderPlan& plan, Notify on_end);

  void prepare(const std::vector<Lane*>& lanes, const Ledger& ledger) override;
  std::unique_ptr<Poller> poller(std::vector<Lane*> lanes, RecordSink& sink, Admission& admission) override;
  std::unique_ptr<Poller> poller(std::vector<Lane*> lanes, FrameSink& sink, Admission& admission) override;
  void enable() override {}
  void open() override { flows_.store(plan_.input->is_open(), std::memory_order_release); }
  bool grow(uint32_t, uint32_t) override { return false; }
  void watch() override {}
  std::vector<std::string> settle() override { return {}; }
  std::vector<std::string> disable(Primary) override;
  void leave() override {}
  bool release() override { return true; }
  void abandon() override { flows_ = false; }
  SourceCounters counters(const Lane& lane) const override;
  SourceStats stats() const override;

 private:
  std::unique_ptr<Poller> make_poller(const std::vector<Lane*>& lanes, std::unique_ptr<PacketOutput> output, Sink& sink,
                                      Admission& admission);

  const ReaderPlan plan_;
  PacketFilter filter_;
  InputEndBox end_;
  std::atomic<bool> flows_{false};
  std::deque<Counter> read_;  // of each lane
};

}  // namespace dpcap
