// The drain: from the rings to the sinks' blocks, in the order of arrival, with limits and accounting.
//
// Everything here but request_stop() and the atomics runs on the thread "dpcap-drain", which has no lcore id: mempool
// caches are shared memory indexed by lcore id, and a thread without one uses none. Mbufs are freed there and nowhere
// else.
#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <thread>
#include <vector>

#include "core/clock.h"
#include "core/lane.h"
#include "core/record.h"
#include "core/sink.h"

namespace dpcap {

struct DrainOptions {
  CopyMode mode;
  FileOptions file;
  uint64_t packet_limit;  // 0: none
  uint64_t byte_limit;    // of the file; 0: none
};

class Drain {
 public:
  Drain(const DrainOptions& options, std::deque<Lane>& lanes, CopyPool& pool, const std::vector<Sink*>& sinks,
        uint64_t header_bytes);
  ~Drain();
  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;

  void start();
  // Empties the rings once more and ends the thread. Call after the primary stopped filling them. Idempotent.
  void stop();
  bool limit_reached() const { return limit_reached_.load(); }

 private:
  void run();
  uint32_t round(bool last);
  bool holds_packets() const;
  uint32_t refill(Lane& lane, uint64_t now);
  void resolve(Lane& lane);
  void emit_until(uint64_t horizon);
  void emit(Lane& lane);
  void record(Lane& lane, const rte_mbuf* mbuf, uint64_t arrival_tsc);
  // The block that is being filled for one sink.
  struct Feed {
    Sink* sink;
    Block* block = nullptr;
    uint64_t since = 0;
  };
  Block* room_for(Feed& feed, size_t size);
  void free_later(rte_mbuf* mbuf);
  void free_now();
  void flush(Feed& feed);
  void flush_all();
  void flush_old(uint64_t now);
  void wait(uint32_t found);
  void measure_wakes();

  const DrainOptions options_;
  std::deque<Lane>& lanes_;
  CopyPool& pool_;
  std::vector<Feed> feeds_;
  WallClock wall_;
  StampClock stamps_;
  const uint64_t settle_ticks_;   // a stamp is good enough when known to this
  const uint64_t reorder_ticks_;  // how long a packet may take from its stamp into its ring

  uint64_t uncalibrated_since_ = 0;
  uint64_t recorded_ = 0;
  uint64_t file_bytes_;
  uint32_t sleep_us_ = 0;
  uint32_t idle_sleep_us_ = 500;  // the longest sleep; adapted to what a wake-up costs here
  uint32_t wakes_ = 0;
  uint64_t wakes_cpu_ns_ = 0;
  std::vector<rte_mbuf*> to_free_;

  std::atomic<bool> limit_reached_{false};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace dpcap
