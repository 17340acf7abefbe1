// A sink that hands each packet, as a whole frame, to a kernel interface: to one queue of a TAP interface, where the
// kernel sees it as received, or through a packet socket to an interface that sends it.
//
// The drain thread writes each packet by itself, from where it lies, with one system call of a microsecond. A TAP
// interface takes the packet at once; a full packet socket is waited for.
#pragma once
#include <cstdint>
#include <vector>

#include "base/rate_limit.h"
#include "base/write_patience.h"
#include "sink/sink.h"

namespace dpcap {

class InterfaceSink : public FrameSink {
 public:
  // Whether packets of several lanes come here, and must be in the order of their arrival.
  enum class Order { as_found, of_arrival };

  // Takes the descriptors over (they may be the same). `max_rate`: packets a second, 0 for no limit; packets above it
  // are lost, and counted.
  InterfaceSink(int rx_fd, int tx_fd, uint32_t max_rate, Order order, SinkCounters& counters);
  ~InterfaceSink() override;

  void enter() override;
  void put(const Frame* frames, uint32_t count, const Lane& lane) override;
  void tick(uint64_t now_ns, uint64_t) override;
  void leave() override;
  void give_up_on_stalls() override { patience_.give_up_soon(); }
  void finish(const std::vector<uint8_t>&) override {}
  bool wants_times() const override { return order_ == Order::of_arrival; }
  uint32_t burst_size() const override { return kFrames; }

 private:
  static constexpr uint32_t kFrames = 32;  // each packet takes a system call, which leaves little of the cache

  bool write_frame(int fd, const Frame& frame);
  void drop_incoming();
  void close_descriptors() const;

  const int rx_fd_;
  const int tx_fd_;
  const Order order_;
  RateLimit rate_;
  WritePatience patience_;
  bool has_own_files_ = false;
  uint64_t looked_at_ns_ = 0;
};

}  // namespace dpcap
