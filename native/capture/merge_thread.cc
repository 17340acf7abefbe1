#include "capture/merge_thread.h"

#include <pthread.h>

#include <algorithm>

#include "base/now.h"
#include "capture/poll_backoff.h"

namespace dpcap {
namespace {

constexpr uint32_t kBusy = 256;      // after a round of so many records the next one follows without a pause
constexpr uint32_t kFrames = 11000;  // frames of 1518 bytes that a queue has room for
constexpr uint32_t kMost = 1 << 16;  // records in a round: the file needs its tick()
constexpr size_t kMostAtOnce = Block::kBytes / 4;  // bytes; with the longest record they must fit into a block

}  // namespace

MergeThread::MergeThread(const FileOptions& options, SinkCounters& counters, RecordSink& file)
    : options_(options), counters_(counters), file_(file) {}

RecordSink& MergeThread::add_queue() {
  RecordQueue& queue = queues_.emplace_back(counters_);
  inputs_.push_back({&queue});
  return queue;
}

void MergeThread::start(Priority priority) {
  thread_ = std::thread([this, priority] {
    set_priority(priority);
    run();
  });
}

void MergeThread::stop() {
  if (!thread_.joinable()) return;
  stop_ = true;
  thread_.join();
}

void MergeThread::run() {
  pthread_setname_np(pthread_self(), "dpcap-merge");
  PollBackoff backoff(kFrames * static_cast<uint32_t>(queues_.size()), queues_.size());
  file_.enter();
  while (!stop_.load(std::memory_order_acquire)) {
    const uint32_t found = round();
    file_.tick(now_ns(CLOCK_MONOTONIC_COARSE), 0);
    if (found >= kBusy) {
      backoff.go_on();
    } else if (found != 0) {
      backoff.sleep(UINT32_MAX);
    } else {
      backoff.sleep_idle(UINT32_MAX);
    }
  }
  while (round() != 0) {  // the queues are complete now
  }
  file_.flush();
  file_.leave();
}

// Writes the records before which no other can come any more. Returns how many records it wrote.
uint32_t MergeThread::round() {
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

void MergeThread::look(Input& input) const {
  if (input.span != nullptr) return;
  input.complete_ns = input.queue->complete_ns();
  input.span = input.queue->next();
  if (input.span == nullptr) return;
  input.record = input.span->bytes;
  input.records = input.span->records;
  input.arrival_ns = arrival_of(input);
}

uint64_t MergeThread::arrival_of(const Input& input) const {
  return stored_time_ns(options_, input.record) - static_cast<uint64_t>(input.span->steps_ns);
}

// Returns the input whose next record is the earliest of all that are still to come, nullptr when that is not known
// yet. `horizon`: until when its records are the earliest.
MergeThread::Input* MergeThread::first(uint64_t* horizon) {
  Input* first = nullptr;
  *horizon = UINT64_MAX;
  for (Input& input : inputs_) {
    if (input.span != nullptr && (first == nullptr || input.arrival_ns < first->arrival_ns)) {
      if (first != nullptr) *horizon = std::min(*horizon, first->arrival_ns);
      first = &input;
    } else {
      *horizon = std::min(*horizon, input.bound());
    }
  }
  return first == nullptr || first->arrival_ns > *horizon ? nullptr : first;
}

// Returns how many records it took.
uint32_t MergeThread::take(Input& input, uint64_t horizon) {
  const uint8_t* const begin = input.record;
  const RecordSpan& span = *input.span;
  uint32_t taken = 0;
  do {
    input.record += stored_record_size(options_.format, input.record);
    taken++;
    if (taken == input.records) break;
    input.arrival_ns = arrival_of(input);
  } while (input.arrival_ns <= horizon && static_cast<size_t>(input.record - begin) < kMostAtOnce);
  file_.put({begin, static_cast<uint32_t>(input.record - begin), taken, span.lane, span.steps_ns});
  input.records -= taken;
  if (input.records == 0) {
    input.queue->taken();
    input.span = nullptr;
    look(input);
  }
  return taken;
}

}  // namespace dpcap
