// Where packets go in the end: a file, a pipe, a kernel interface, a tunnel.
//
// One thread feeds a sink. It is called the drain thread here, but may be the merge thread of several drain threads. It
// calls enter() first, leave() last, and the functions between them. Any thread reads a sink's counters.
#pragma once
#include <sys/uio.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "base/notify.h"
#include "record/lane.h"
#include "record/ledger.h"
#include "record/record_span.h"

namespace dpcap {

// What people should hear of once, while a sink goes on.
enum class SinkRemark : uint32_t {
  cut = 1,   // frames were longer than what goes, and were cut
  rate = 2,  // more came than the rate allows; the rest is lost
  own = 4,   // the sink's own packets came, and were left out
  slow = 8,  // more came than is compressed in the same time; the rest is lost
  low = 16,  // the disk has less room than has to stay free
};

// How the sinks of a capture fare. The threads that do their work write it, any thread reads it.
class SinkCounters {
 public:
  // `ledger`: the capture's. `on_failure`: called once, by the thread whose work failed first.
  explicit SinkCounters(Ledger& ledger, Notify on_failure = {}) : ledger_(ledger), on_failure_(std::move(on_failure)) {}

  // The errno of the failure that ended a sink, and with it the capture; 0 while all is well. EPIPE: the reader went
  // away.
  int failure() const { return failure_.load(std::memory_order_relaxed); }
  uint64_t bytes_written() const { return bytes_written_; }

  void fail(int err) {
    int none = 0;
    if (failure_.compare_exchange_strong(none, err) && on_failure_) on_failure_();
  }
  void add_written(int64_t bytes) { bytes_written_ += static_cast<uint64_t>(bytes); }
  // Packets of this lane that were taken and did not get through, and their bytes; without packets: bytes that were cut
  // off.
  void add_lost(size_t lane, uint64_t packets, uint64_t bytes) { ledger_[lane].lose(packets, bytes); }
  // Packets that the sink itself had sent, and that were captured again.
  void add_own(size_t lane, uint64_t packets, uint64_t bytes) { ledger_[lane].leave_out(packets, bytes); }

  void remark(SinkRemark what) { remarks_.fetch_or(static_cast<uint32_t>(what), std::memory_order_relaxed); }
  bool has(SinkRemark what) const {
    return (remarks_.load(std::memory_order_relaxed) & static_cast<uint32_t>(what)) != 0;
  }
  // Why packets were lost last; 0: none were, or the sink does not say why.
  int refusal() const { return refusal_.load(std::memory_order_relaxed); }
  void refused(int err) { refusal_.store(err, std::memory_order_relaxed); }

 private:
  Ledger& ledger_;
  const Notify on_failure_;
  std::atomic<int> failure_{0};
  std::atomic<uint64_t> bytes_written_{0};
  std::atomic<uint32_t> remarks_{0};
  std::atomic<int> refusal_{0};
};

class Sink {
 public:
  explicit Sink(SinkCounters& counters) : counters_(counters) {}
  virtual ~Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  virtual void enter() {}
  // Called once a round, whether there were packets or not, at `now_ns` (CLOCK_MONOTONIC_COARSE). Every packet that
  // arrived until `complete_ns` (CLOCK_REALTIME without its steps) has been put.
  virtual void tick(uint64_t now_ns, uint64_t complete_ns) = 0;
  // Sends off everything that was put.
  virtual void flush() {}
  // Any thread: what was put is sent off within the next round, where it would wait for more.
  virtual void request_flush() {}
  virtual void leave() {}

  // Called before finish(), on any thread: a stalled reader is not waited for much longer.
  virtual void give_up_on_stalls() {}
  // Called after leave(): writes what is on its way, then `trailer` (unless the sink failed), and closes. Idempotent.
  virtual void finish(const std::vector<uint8_t>& trailer) = 0;

  // The sink has all the bytes that it was to take.
  virtual bool is_full() const { return false; }
  // So much of what was put is still on its way that the next packets may have to wait.
  virtual bool is_behind() const { return false; }
  // All that was put, and was sent off by flush(), has been written.
  virtual bool has_sent_all() const { return true; }
  // Whether the time of arrival matters to the sink.
  virtual bool wants_times() const { return true; }
  // How many packets of a lane are fetched at once: no more than are still in the cache when the sink comes to the
  // last.
  virtual uint32_t burst_size() const { return kBurst; }
  const SinkCounters& counters() const { return counters_; }

  static constexpr uint32_t kBurst = 512;

 protected:
  SinkCounters& counters_;
};

// Memory of a sink for the next records.
struct Room {
  uint8_t* bytes;
  size_t size;
  size_t goal;                    // the sink wants no further record once there are so many bytes
  uint32_t records = UINT32_MAX;  // it wants no more than so many
};

// A sink for the bytes of a file. Whoever has packets writes their records in place, with reserve() and commit();
// whoever has records hands them over with put().
class RecordSink : public Sink {
 public:
  using Sink::Sink;

  // Returns room for a record of `at_least` bytes, which must fit into a block. It waits while there is none.
  virtual Room reserve(size_t at_least) = 0;
  // Takes records that were written to the beginning of the room.
  virtual void commit(const RecordSpan& span) = 0;
  // Takes records that lie elsewhere. Their memory is the caller's again when it returns.
  virtual void put(const RecordSpan& span) {
    uint8_t* const bytes = reserve(span.size).bytes;
    memcpy(bytes, span.bytes, span.size);
    commit({bytes, span.size, span.records, span.lane, span.steps_ns});
  }

  // From this size on, in bytes, writing a packet from where it lies beats copying it.
  static constexpr uint32_t kInPlace = 400;
  static constexpr uint32_t kMostInPlace = 64;
  // About so many bytes go with one write in place: what was prefetched must still be in the cache when the kernel
  // comes to it (bench/RESULTS.md).
  static constexpr size_t kInPlaceBytes = 24 * 1024;
  // The last record may make it more: it lies in one mbuf, whose data have 16 bits for their length.
  static constexpr size_t kMostBytesInPlace = kInPlaceBytes + UINT16_MAX;
  // Whether large records and spans, so many bytes and records at most, are better written from where they lie at this
  // moment.
  virtual bool wants_in_place(size_t, uint32_t) const { return false; }
  // Writes up to kMostInPlace such records of a lane, `size` bytes in all. Changes `records`.
  virtual void write_in_place(iovec*, uint32_t, size_t, uint16_t) {}
  // From this size on, in bytes, a span is worth a write of its own.
  static constexpr uint32_t kSpanInPlace = 32 * 1024;
  // Writes records of a lane from where they lie, one behind the other.
  virtual void write_span(const RecordSpan&) {}
};

struct Frame {
  const uint8_t* bytes;
  uint32_t size;
  uint32_t len;      // on the wire
  uint64_t time_ns;  // CLOCK_REALTIME; undefined unless the sink wants_times()
};

// A sink for whole frames.
class FrameSink : public Sink {
 public:
  using Sink::Sink;

  // Takes frames of one lane, burst_size() at most, in the order of their arrival.
  virtual void put(const Frame* frames, uint32_t count, const Lane& lane) = 0;
};

}  // namespace dpcap
