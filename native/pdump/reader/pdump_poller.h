// Takes copies out of the lanes' rings and passes them on. Runs on a drain thread. Mbufs are freed here and nowhere
// else.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "capture/source.h"
#include "filter/ebpf_vm.h"
#include "mbuf/mbuf_packet.h"
#include "mbuf/packet_writer.h"
#include "pdump/memory/mempool.h"
#include "pdump/memory/working_set.h"
#include "pdump/reader/ring_reader.h"

namespace dpcap {

// Whether the sink has a place for what is said of packets that were lost.
enum class Gaps { untold, told };

// What all pollers of a capture have in common.
struct PollerShare {
  CopyMode mode;
  const std::vector<Filters>& filters;  // for lanes whose copies come unfiltered: see PdumpLane::is_filtered_here
  CaptureMempool& pool;
  SharedClock& clock;
  size_t threads;
  // Whether a lane's device is in its slot at this moment; called before each burst is recorded. nullptr: it always is.
  bool (*is_own)(const Lane&) = nullptr;
  Gaps gaps = Gaps::untold;
};

class PdumpPoller : public Poller {
 public:
  // `sink` is the one that `writer` writes to.
  PdumpPoller(std::vector<PdumpLane*> lanes, const PollerShare& share, std::unique_ptr<PacketWriter> writer,
              const Sink& sink, Admission& admission);

  void begin() override { reader_.begin(); }
  uint32_t poll() override;
  uint32_t deliver(More more) override;
  uint64_t complete_ns() const override { return reader_.complete_ns(); }
  bool is_empty() const override { return reader_.is_empty(); }
  uint32_t room() const override { return pool_.planned(); }
  uint32_t most_room() const override { return pool_.most(); }
  uint32_t longest_sleep_us() const override;
  void before_pause(bool is_busy) override;
  void after_pause(uint32_t sleep_us) override;

 private:
  void look_for_gaps();
  void record(const Burst& burst);
  Burst select(const Burst& burst);
  bool matches_stamped(const Interpreter& filter, const Packet& packet);
  void free_all(const Burst& burst);
  void free_later(rte_mbuf* mbuf);
  void free_now();

  const CopyMode mode_;
  const std::vector<Filters>& filters_;
  CaptureMempool& pool_;
  bool (*const is_own_)(const Lane&);
  const std::unique_ptr<PacketWriter> writer_;
  const Sink& sink_;
  Admission& admission_;
  std::vector<uint64_t> untold_;  // for each lane, by its index: packets that were lost, and that no record tells of
  RingReader reader_;
  const bool stamps_here_;
  const Gaps gaps_;
  uint64_t gaps_tsc_ = 0;  // of the last look for gaps
  uint32_t dried_ = 0;     // how often the pool had run dry then
  WorkingSet working_set_;
  const bool may_shrink_;
  uint32_t found_ = 0;  // in the last look
  uint64_t paused_tsc_ = 0;
  bool was_short_ = false;  // mbufs were short since the last sleep
  std::vector<rte_mbuf*> to_free_;
  std::vector<rte_mbuf*> selected_;
  std::vector<uint64_t> selected_ns_;
  std::vector<uint8_t> flat_;
};

}  // namespace dpcap
