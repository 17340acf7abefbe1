#include "reader/file_source.h"

#include <utility>

#include "base/error.h"

namespace dpcap {

FileSource::FileSource(const ReaderPlan& plan, Notify on_end)
    : plan_(plan), filter_(plan.program), end_(std::move(on_end)) {}

void FileSource::prepare(const std::vector<Lane*>& lanes, const Ledger&) {
  read_.resize(lanes.size());
  if (plan_.input->is_open() && lanes.size() < plan_.input->file().interfaces().size()) {
    throw Error("ERR_SYSTEM", "an interface of the file has no lane");
  }
}

std::unique_ptr<Poller> FileSource::make_poller(const std::vector<Lane*>& lanes, std::unique_ptr<PacketOutput> output,
                                                Sink& sink, Admission& admission) {
  const ReaderInput input{*plan_.input, filter_, read_, flows_, end_};
  return std::make_unique<FilePoller>(lanes, input, plan_.selection, std::move(output), sink, admission);
}

std::unique_ptr<Poller> FileSource::poller(std::vector<Lane*> lanes, RecordSink& sink, Admission& admission) {
  return make_poller(lanes, std::make_unique<RecordOutput>(plan_.file, sink), sink, admission);
}

std::unique_ptr<Poller> FileSource::poller(std::vector<Lane*> lanes, FrameSink& sink, Admission& admission) {
  return make_poller(lanes, std::make_unique<FrameOutput>(sink), sink, admission);
}

// Of what was not read, nothing is asked any more.
std::vector<std::string> FileSource::disable(Primary) {
  flows_ = false;
  return {};
}

SourceCounters FileSource::counters(const Lane& lane) const {
  SourceCounters counters;
  if (lane.index < read_.size()) counters.accepted = read_[lane.index];
  return counters;
}

SourceStats FileSource::stats() const {
  SourceStats stats;
  stats.input_end = end_.get();
  return stats;
}

}  // namespace dpcap
