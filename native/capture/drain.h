// The drain thread: takes copies from the rings into a sink, in the order of arrival, with limits and accounting.
//
// Everything here but start() and stop() runs on the thread "dpcap-drain", which has no lcore id: mempool caches are
// shared memory indexed by lcore id, and a thread without one uses none. Mbufs are freed there and nowhere else.
#pragma once
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "capture/limit.h"
#include "capture/poll_backoff.h"
#include "filter/ebpf_vm.h"
#include "pdump/lane.h"
#include "pdump/memory/mempool.h"
#include "pdump/memory/working_set.h"
#include "pdump/reader/mbuf_packet.h"
#include "pdump/reader/ring_reader.h"
#include "sink/sink.h"

namespace dpcap {

// The filters for lanes whose copies come unfiltered: see Lane::is_filtered_here.
struct Filters {
  Interpreter rx;
  Interpreter tx;
};

// What all drain threads of a capture have in common.
struct DrainShare {
  const Filters& filters;
  CaptureMempool& pool;
  Limit& limit;
  SharedClock& clock;
  size_t threads;
  // Whether a lane's device is in its slot at this moment; called before each burst is recorded. nullptr: it always is.
  bool (*is_own)(const Lane&) = nullptr;
};

class Drain {
 public:
  // `shared`: used by all drain threads of the same capture.
  Drain(std::vector<Lane*> lanes, CopyMode mode, DrainShare& shared, Sink& sink);
  ~Drain();
  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;

  // `high_priority`: the primary uses none of the CPUs of this thread, so it may go before other work there.
  void start(bool high_priority);
  // Empties the rings once more and ends the thread. Call after the primary stopped filling them. Idempotent.
  void stop();

 private:
  // The result of one look at every ring.
  struct Round {
    uint32_t found;
    uint32_t handled;  // packets that had been held back included
  };

  void run();
  void pause(const Round& round);
  uint32_t longest_sleep_us() const;
  Round round(bool last);
  void record(const Burst& burst);
  Burst select(const Burst& burst);
  bool matches_stamped(const Interpreter& filter, const Packet& packet);
  void free_all(const Burst& burst);
  void free_later(rte_mbuf* mbuf);
  void free_now();

  const CopyMode mode_;
  const Filters& filters_;
  CaptureMempool& pool_;
  Sink& sink_;
  Limit& limit_;
  bool (*const is_own_)(const Lane&);
  RingReader reader_;
  const uint32_t busy_;  // after a round of so many packets the next one follows without a pause
  const bool stamps_here_;
  PollBackoff backoff_;
  WorkingSet working_set_;
  const bool may_shrink_;
  bool was_short_ = false;  // mbufs were short since the last sleep
  std::vector<rte_mbuf*> to_free_;
  std::vector<rte_mbuf*> selected_;
  std::vector<uint64_t> selected_ns_;
  std::vector<uint8_t> flat_;

  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace dpcap
