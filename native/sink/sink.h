// Where packets go in the end: a file, a pipe, a kernel interface. One thread feeds a sink; any thread reads its
// counters.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/notify.h"
#include "pdump/lane.h"

namespace dpcap {

// Copies of one lane, in the order of their arrival.
struct Burst {
  Lane& lane;
  rte_mbuf* const* mbufs;
  const uint64_t* arrival_ns;  // CLOCK_REALTIME; undefined unless wants_times()
  uint32_t count;
  // How far CLOCK_REALTIME was set since the capture began. Without these steps, times never decrease within a lane.
  int64_t steps_ns = 0;
};

// What became of the packets that a capture's sinks were given. The threads that do the sinks' work write it, any
// thread reads it.
class SinkCounters {
 public:
  // `on_failure`: called once, by the thread whose work failed first.
  explicit SinkCounters(size_t lanes, Notify on_failure = {})
      : on_failure_(std::move(on_failure)), lost_(new Lost[lanes]()) {}

  // The errno of the failure that ended a sink, and with it the capture; 0 while all is well. EPIPE: the reader went
  // away.
  int failure() const { return failure_.load(std::memory_order_relaxed); }
  uint64_t bytes_written() const { return bytes_written_; }
  // Packets of this lane that were put and did not get through, and their share of Lane::bytes.
  uint64_t lost(size_t lane) const { return lost_[lane].packets; }
  uint64_t lost_bytes(size_t lane) const { return lost_[lane].bytes; }

  void fail(int err) {
    int none = 0;
    if (failure_.compare_exchange_strong(none, err) && on_failure_) on_failure_();
  }
  void add_written(int64_t bytes) { bytes_written_ += static_cast<uint64_t>(bytes); }
  void add_lost(size_t lane, uint64_t packets, uint64_t bytes) {
    lost_[lane].packets += packets;
    lost_[lane].bytes += bytes;
  }

 private:
  struct Lost {
    std::atomic<uint64_t> packets{0};
    std::atomic<uint64_t> bytes{0};
  };

  const Notify on_failure_;
  std::atomic<int> failure_{0};
  std::atomic<uint64_t> bytes_written_{0};
  std::unique_ptr<Lost[]> lost_;
};

// One thread feeds a sink. It is called the drain thread here, but may be the merge thread of several drain threads. It
// calls enter() first, leave() last, and the functions between them.
class Sink {
 public:
  explicit Sink(SinkCounters& counters) : counters_(counters) {}
  virtual ~Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  virtual void enter() {}
  // Takes packets; the mbufs stay the caller's. Returns how many it took: all, unless it became full.
  virtual uint32_t put(const Burst& burst) = 0;
  // Called once a round, whether there were packets or not. Every packet that arrived until `complete_ns`
  // (CLOCK_REALTIME without its steps) has been put.
  virtual void tick(uint64_t now_tsc, uint64_t complete_ns) = 0;
  // Sends off everything that was put.
  virtual void flush() {}
  virtual void leave() {}

  // Called before finish(), on any thread: a stalled reader is not waited for much longer.
  virtual void give_up_on_stalls() {}
  // Called after leave(): writes what is on its way, then `trailer` (unless the sink failed), and closes. Idempotent.
  virtual void finish(const std::vector<uint8_t>& trailer) = 0;

  // The sink has all the bytes that it was to take.
  virtual bool is_full() const { return false; }
  // So much of what was put is still on its way that the next packets may have to wait.
  virtual bool is_behind() const { return false; }
  // Whether the time of arrival matters to the sink.
  virtual bool wants_times() const { return true; }
  // How many packets of a lane are fetched at once: no more than are still in the cache when the sink comes to the
  // last.
  virtual uint32_t burst_size() const { return Lane::kPending; }
  const SinkCounters& counters() const { return counters_; }

 protected:
  SinkCounters& counters_;
};

}  // namespace dpcap
