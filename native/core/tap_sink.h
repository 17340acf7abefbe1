// A sink that hands each packet to one queue of a TAP interface, where the kernel sees it as received.
#pragma once
#include <cstdint>
#include <vector>

#include "core/sink.h"

namespace dpcap {

class TapSink : public Sink {
 public:
  // Takes the descriptors over (they may be the same). `max_rate`: packets a second, 0 for no limit; what exceeds it is
  // lost, and counted.
  TapSink(int rx_fd, int tx_fd, uint32_t max_rate, size_t lanes);
  ~TapSink() override { stop(); }

 private:
  static constexpr size_t kBlocks = 4;  // more would only show packets later

  void open() override {}
  void write_block(const Block& block) override;
  void idle() override { drop_incoming(); }
  void close(const std::vector<uint8_t>& trailer) override;

  bool may_write();
  void write_frame(const FrameHead& head, const uint8_t* frame, uint16_t lane);
  void drop_incoming();

  const int rx_fd_;
  const int tx_fd_;
  const uint32_t max_rate_;
  double tokens_ = 0;
  int64_t tokens_at_ns_ = 0;
};

}  // namespace dpcap
