// A sink that hands each packet, as a whole frame, to a kernel interface: to one queue of a TAP interface, where the
// kernel sees it as received, or through a packet socket to an interface that sends it.
//
// The drain thread writes each packet by itself, from where it lies, with one system call of a microsecond. A TAP
// interface takes the packet at once; a full packet socket is waited for.
#pragma once
#include <atomic>
#include <cstdint>
#include <vector>

#include "pdump/reader/mbuf_packet.h"
#include "sink/sink.h"

namespace dpcap {

class FrameSink : public Sink {
 public:
  // Takes the descriptors over (they may be the same). `max_rate`: packets a second, 0 for no limit; packets above it
  // are lost, and counted. `is_timed`: packets of several lanes come here, and must be in the order of their arrival.
  FrameSink(int rx_fd, int tx_fd, uint32_t max_rate, CopyMode mode, bool is_timed, SinkCounters& counters);
  ~FrameSink() override;

  void enter() override;
  uint32_t put(const Burst& burst) override;
  void tick(uint64_t now_tsc, uint64_t) override;
  void leave() override;
  void give_up_on_stalls() override;
  void finish(const std::vector<uint8_t>&) override {}
  bool wants_times() const override { return is_timed_; }
  uint32_t burst_size() const override { return kBurst; }

 private:
  static constexpr uint32_t kBurst = 32;  // each packet takes a system call, which leaves little of the cache

  bool may_write();
  bool write_frame(int fd, const Packet& packet);
  bool wait_writable(int fd) const;
  void drop_incoming();
  void close_descriptors() const;

  const int rx_fd_;
  const int tx_fd_;
  const uint32_t max_rate_;
  const CopyMode mode_;
  const bool is_timed_;
  std::atomic<int64_t> give_up_at_ns_{0};  // CLOCK_MONOTONIC; 0: not yet
  bool has_own_files_ = false;
  uint64_t looked_at_ = 0;
  double tokens_ = 0;
  int64_t tokens_at_ns_ = 0;
  std::vector<uint8_t> frame_;  // a packet that is in pieces, put together
};

}  // namespace dpcap
