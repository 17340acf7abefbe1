// Where a capture's file ends and the next one begins: once the file has reached a number of bytes or of packets, as
// dumpcap and tcpdump count them, or a time. It knows numbers only. Drain thread.
//
// A file begins with its first packet, except for the first, which is there from the start: a port without traffic
// makes no empty files, and a ring of files is a ring of packets.
#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace dpcap {

// What ends a file; 0 stands for no limit.
struct RotationLimits {
  uint64_t bytes = 0;  // with the header; the record that reaches it is the file's last
  uint64_t packets = 0;
  uint64_t duration_ns = 0;  // since the file began
  uint64_t interval_ns = 0;  // the clock passes a multiple of this since 1970
  uint32_t files = 0;        // with the end of this file the capture has all that it wants
};

class Rotation {
 public:
  Rotation(const RotationLimits& limits, size_t lanes) : limits_(limits), packets_by_lane_(lanes) {}

  // A moment, by CLOCK_MONOTONIC and by CLOCK_REALTIME.
  struct Moment {
    uint64_t steady_ns;
    uint64_t wall_ns;
  };
  // The file begins. Called for the first file, and for each other with its first packet.
  void begin(const Moment& now) { begun_ = now; }
  bool is_between_files() const { return !begun_; }
  void add(size_t lane, uint64_t packets) {
    packets_ += packets;
    packets_by_lane_[lane] += packets;
  }

  // How many more bytes, and packets, the file wants; `bytes`: those that it has. At least one packet.
  uint64_t bytes_left(uint64_t bytes) const {
    if (limits_.bytes == 0) return UINT64_MAX;
    return limits_.bytes > bytes ? limits_.bytes - bytes : 1;
  }
  uint64_t packets_left() const { return limits_.packets == 0 ? UINT64_MAX : limits_.packets - packets_; }
  bool is_full(uint64_t bytes) const {
    return (limits_.bytes != 0 && bytes >= limits_.bytes) || (limits_.packets != 0 && packets_ >= limits_.packets);
  }
  // The time of the file is over. An empty file is not ended: its time begins anew.
  bool is_due(const Moment& now) {
    if (!begun_ || !is_over(*begun_, now)) return false;
    if (packets_ != 0) return true;
    begin(now);
    return false;
  }

  // The file ends.
  void end() {
    ended_++;
    packets_ = 0;
    std::fill(packets_by_lane_.begin(), packets_by_lane_.end(), 0);
    begun_.reset();
  }
  bool has_all_files() const { return limits_.files != 0 && ended_ >= limits_.files; }

  // Of the present file.
  const std::vector<uint64_t>& packets_by_lane() const { return packets_by_lane_; }
  uint64_t begun_wall_ns() const { return begun_ ? begun_->wall_ns : 0; }

 private:
  // A clock that is set passes multiples as well, in either direction.
  bool is_over(const Moment& begun, const Moment& now) const {
    if (limits_.duration_ns != 0 && now.steady_ns >= begun.steady_ns + limits_.duration_ns) return true;
    return limits_.interval_ns != 0 && now.wall_ns / limits_.interval_ns != begun.wall_ns / limits_.interval_ns;
  }

  const RotationLimits limits_;
  std::optional<Moment> begun_;
  uint64_t packets_ = 0;
  std::vector<uint64_t> packets_by_lane_;
  uint32_t ended_ = 0;
};

}  // namespace dpcap
