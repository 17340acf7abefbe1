// A sink that hands each packet, as a whole frame, to a kernel interface: to one queue of a TAP interface, where the
// kernel sees it as received, or through a packet socket to one that sends it.
#pragma once
#include <cstdint>
#include <vector>

#include "core/sink.h"

namespace dpcap {

class FrameSink : public Sink {
 public:
  // Takes the descriptors over (they may be the same). `max_rate`: packets a second, 0 for no limit; what exceeds it is
  // lost, and counted.
  FrameSink(int rx_fd, int tx_fd, uint32_t max_rate, size_t lanes);
  ~FrameSink() override;

 private:
  static constexpr size_t kBlocks = 4;              // more would only show packets later
  static constexpr size_t kBlockGoal = 128 * 1024;  // what stays in a core's cache between the two threads

  void open() override;
  void write_block(const Block& block) override;
  void idle() override { drop_incoming(); }
  void close(const std::vector<uint8_t>& trailer) override;

  bool may_write();
  bool write_frame(const FrameHead& head, const uint8_t* frame);
  bool wait_writable(int fd) const;
  void drop_incoming();
  void close_descriptors() const;

  const int rx_fd_;
  const int tx_fd_;
  const uint32_t max_rate_;
  bool has_own_files_ = false;  // writer thread only
  double tokens_ = 0;
  int64_t tokens_at_ns_ = 0;
};

}  // namespace dpcap
