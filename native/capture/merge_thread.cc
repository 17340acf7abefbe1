#include "capture/merge_thread.h"

#include <pthread.h>
#include <rte_cycles.h>

#include <algorithm>

#include "base/thread.h"
#include "capture/poll_backoff.h"

namespace dpcap {
namespace {

constexpr uint32_t kBusy = 256;      // records in a round from which on the next one follows without a pause
constexpr uint32_t kFrames = 11000;  // of 1518 bytes that a strand has room for
constexpr uint32_t kMost = 1 << 16;  // records in a round: the file wants its tick
constexpr size_t kMostAtOnce = Block::kBytes / 4;  // bytes; with the longest record it must fit into a block

}  // namespace

Merge::Merge(const FileOptions& options, CopyMode mode, SinkFigures& figures, FileSink& file)
    : options_(options), mode_(mode), figures_(figures), file_(file) {}

Sink& Merge::add_strand() {
  Strand& strand = strands_.emplace_back(options_, mode_, figures_);
  inputs_.push_back({&strand});
  return strand;
}

void Merge::start(bool comes_first) {
  thread_ = std::thread([this, comes_first] {
    if (comes_first) be_nice(kDrainNice);
    run();
  });
}

void Merge::stop() {
  if (!thread_.joinable()) return;
  stop_ = true;
  thread_.join();
}

void Merge::run() {
  pthread_setname_np(pthread_self(), "dpcap-merge");
  Pacer pacer(kFrames * static_cast<uint32_t>(strands_.size()), strands_.size());
  file_.enter();
  while (!stop_.load(std::memory_order_acquire)) {
    const uint32_t found = round();
    file_.tick(rte_get_tsc_cycles(), 0);
    if (found >= kBusy) {
      pacer.go_on();
    } else {
      pacer.sleep(found != 0, UINT32_MAX);
    }
  }
  while (round() != 0) {  // the strands are complete now
  }
  file_.flush();
  file_.leave();
}

// Writes what nothing can come before any more. Returns how many records.
uint32_t Merge::round() {
  uint32_t found = 0;
  for (Input& input : inputs_) look(input);
  uint64_t horizon;
  while (found < kMost) {
    Input* input = first(&horizon);
    if (input == nullptr) break;
    found += take(*input, horizon);
  }
  return found;
}

void Merge::look(Input& input) const {
  if (input.stretch != nullptr) return;
  input.complete_ns = input.strand->complete_ns();
  input.stretch = input.strand->next();
  if (input.stretch == nullptr) return;
  input.record = input.stretch->bytes;
  input.records = input.stretch->records;
  input.arrival_ns = arrival_of(input);
}

uint64_t Merge::arrival_of(const Input& input) const {
  return stored_time_ns(options_, input.record) - static_cast<uint64_t>(input.stretch->steps_ns);
}

// The input whose next record is the earliest of all that are still to come, nullptr when that is not known yet.
// `horizon`: until when it is.
Merge::Input* Merge::first(uint64_t* horizon) {
  Input* first = nullptr;
  *horizon = UINT64_MAX;
  for (Input& input : inputs_) {
    if (input.stretch != nullptr && (first == nullptr || input.arrival_ns < first->arrival_ns)) {
      if (first != nullptr) *horizon = std::min(*horizon, first->arrival_ns);
      first = &input;
    } else {
      *horizon = std::min(*horizon, input.bound());
    }
  }
  return first == nullptr || first->arrival_ns > *horizon ? nullptr : first;
}

// Returns how many records.
uint32_t Merge::take(Input& input, uint64_t horizon) {
  const uint8_t* const begin = input.record;
  const Stretch& stretch = *input.stretch;
  uint32_t taken = 0;
  do {
    input.record += stored_record_size(options_.format, input.record);
    taken++;
    if (taken == input.records) break;
    input.arrival_ns = arrival_of(input);
  } while (input.arrival_ns <= horizon && static_cast<size_t>(input.record - begin) < kMostAtOnce);
  file_.put_records(begin, static_cast<size_t>(input.record - begin), {stretch.lane, taken});
  input.records -= taken;
  if (input.records == 0) {
    input.strand->taken();
    input.stretch = nullptr;
    look(input);
  }
  return taken;
}

}  // namespace dpcap
