// A sink that sends each packet, as a whole frame, through a tunnel to a collector on another host.
//
// The drain thread hands frames to the kernel in batches, from where they lie, behind headers that it writes. What the
// host or the network does not take is lost, counted, and told; the capture goes on, because a collector may come back.
// A frame that is too long for the path is cut, and no packet is fragmented. The tunnel's own packets, which a captured
// port may carry, are left out.
#pragma once
#include <sys/socket.h>
#include <sys/uio.h>

#include <cstdint>
#include <vector>

#include "base/fd.h"
#include "base/rate_limit.h"
#include "base/write_patience.h"
#include "sink/sink.h"
#include "sink/tunnel/tunnel_options.h"
#include "tunnel/outer.h"

namespace dpcap {

class TunnelSink : public FrameSink {
 public:
  // Takes the descriptor of a TunnelSocket over.
  TunnelSink(int fd, const TunnelOptions& options, SinkCounters& counters);

  void put(const Frame* frames, uint32_t count, const Lane& lane) override;
  void tick(uint64_t now_ns, uint64_t) override;
  void give_up_on_stalls() override { patience_.give_up_soon(); }
  void finish(const std::vector<uint8_t>&) override { hear_network(); }
  uint32_t burst_size() const override { return kFrames; }

 private:
  static constexpr uint32_t kFrames = 32;

  // What of the frames of a call was sent, and what was not.
  struct Tally {
    uint64_t sent_bytes = 0;
    uint64_t lost = 0;
    uint64_t lost_bytes = 0;  // also those that were cut off
    uint64_t own = 0;
    uint64_t own_bytes = 0;

    void lose(uint64_t bytes) {
      lost++;
      lost_bytes += bytes;
    }
  };

  // A packet in the batch that is about to be sent.
  struct Slot {
    uint8_t head[DPCAP_TUNNEL_MOST_HEAD];
    iovec parts[2];
  };

  void add(const Frame& frame, const Lane& lane, Tally* tally);
  uint32_t most_frame() const;
  void send(Tally* tally);
  void note_sent(size_t bytes, Tally* tally);
  bool has_room_again();
  void hear_network();
  void refused(int err);

  const Descriptor socket_;
  const dpcap_tunnel tunnel_;
  const dpcap_outer outer_;
  const uint32_t head_size_;
  uint32_t mtu_;  // less than at the start once the path takes less
  RateLimit rate_;
  WritePatience patience_;
  uint32_t sequence_ = 0;
  uint64_t missing_ = 0;  // packets that did not arrive, and are not counted yet
  uint64_t heard_at_ns_ = 0;
  uint32_t count_ = 0;  // of the batch
  Slot slots_[kFrames];
  mmsghdr messages_[kFrames];
};

}  // namespace dpcap
