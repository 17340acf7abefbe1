// Takes bursts out of the kernel's ring, puts them in the order of their times, filters them, and passes them on. Drain
// thread.
#pragma once
#include <rte_mbuf.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "base/counter.h"
#include "base/now.h"
#include "capture/source.h"
#include "ebpf/kernel/probe.h"
#include "filter/ebpf_vm.h"
#include "mbuf/packet_writer.h"

namespace dpcap {

// What a poller finds out. Any thread reads it.
struct EbpfTallies {
  std::deque<Counter> unread;            // for each lane: packets that could not be read
  std::atomic<uint32_t> clock_steps{0};  // how often the system clock was set, and by how much
  std::atomic<int64_t> steps_ns{0};
};

// What a poller stands on. All of it outlives the poller.
struct EbpfInput {
  // Hands on what is in the ring: see KernelProgram::take_bursts().
  std::function<void(const std::function<bool(const uint8_t*, size_t)>&)> take_bursts;
  const std::vector<Filters>& filters;  // see LaneRule
  EbpfTallies& tallies;
  uint64_t ring_bytes;
};

class EbpfPoller : public Poller {
 public:
  // `lanes`: all of the capture's. `sink` is the one that `writer` writes to.
  EbpfPoller(const std::vector<Lane*>& lanes, const EbpfInput& input, std::unique_ptr<PacketWriter> writer,
             Admission& admission);

  uint32_t poll() override;
  uint32_t deliver(More more) override;
  uint64_t complete_ns() const override;
  bool is_empty() const override { return held_.empty(); }
  uint32_t room() const override;
  uint32_t most_room() const override { return room(); }
  uint32_t longest_sleep_us() const override { return kLongestSleepUs; }
  void before_pause(bool) override {}
  void after_pause(uint32_t) override {}

 private:
  static constexpr uint32_t kLongestSleepUs = 1000;

  // A burst that was taken out of the ring.
  struct Held {
    uint64_t time_ns;
    Lane* lane;
    uint32_t packets;
    uint64_t lost;               // of the lane's until then, as the kernel counts them
    std::vector<uint8_t> bytes;  // of its packets
  };

  bool hold(const uint8_t* bytes, size_t size);
  void record(const Held& held);
  void note_lost(const Held& held);
  uint32_t read_packets(const Held& held);
  uint32_t select(const Held& held, uint32_t count);
  void look_at_clock();

  // Of a lane: packets that were lost until its last burst, and those of them that no record tells of.
  struct Lost {
    uint64_t known = 0;
    uint64_t untold = 0;
  };

  std::vector<Lane*> lanes_;  // by their index
  std::vector<Lost> lost_;    // as well
  const EbpfInput input_;
  const std::unique_ptr<PacketWriter> writer_;
  Admission& admission_;
  std::deque<Held> held_;                    // by time
  std::vector<std::vector<uint8_t>> spare_;  // memory of bursts that are gone
  uint32_t found_ = 0;
  uint64_t looked_ns_ = 0;  // CLOCK_MONOTONIC of the last look
  uint64_t last_ns_ = 0;    // of the last burst that was passed on
  int64_t wall_offset_ns_;  // CLOCK_REALTIME less CLOCK_MONOTONIC
  std::vector<rte_mbuf> mbufs_;
  std::vector<uint8_t> is_selected_;  // for each of them: by the filter in the kernel
  std::vector<rte_mbuf*> packets_;
  std::vector<uint64_t> times_ns_;
};

}  // namespace dpcap
