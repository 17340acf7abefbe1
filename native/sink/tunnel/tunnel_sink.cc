#include "sink/tunnel/tunnel_sink.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "sink/tunnel/tunnel_socket.h"

namespace dpcap {
namespace {

constexpr uint64_t kLookNs = 10'000'000;

}  // namespace

TunnelSink::TunnelSink(int fd, const TunnelOptions& options, SinkCounters& counters)
    : FrameSink(counters),
      socket_(fd),
      tunnel_(options.tunnel),
      outer_(outer_of(fd)),
      head_size_(dpcap_tunnel_head_size(&options.tunnel)),
      mtu_(options.mtu),
      rate_(options.max_rate) {
  for (uint32_t i = 0; i < kFrames; i++) {
    messages_[i] = {};
    messages_[i].msg_hdr.msg_iov = slots_[i].parts;
    messages_[i].msg_hdr.msg_iovlen = 2;
  }
}

void TunnelSink::put(const Frame* frames, uint32_t count, const Lane& lane) {
  Tally tally;
  count_ = 0;
  for (uint32_t i = 0; i < count; i++) add(frames[i], lane, &tally);
  send(&tally);
  counters_.add_written(static_cast<int64_t>(tally.sent_bytes));
  if (tally.lost_bytes != 0 || tally.lost != 0) counters_.add_lost(lane.index, tally.lost, tally.lost_bytes);
  if (tally.own != 0) counters_.add_own(lane.index, tally.own, tally.own_bytes);
}

uint32_t TunnelSink::most_frame() const {
  const uint32_t overhead = dpcap_outer_ip_size(&outer_) + head_size_;
  return mtu_ > overhead ? mtu_ - overhead : 0;
}

void TunnelSink::add(const Frame& frame, const Lane& lane, Tally* tally) {
  if (dpcap_tunnel_is_own(&tunnel_, &outer_, frame.bytes, frame.size)) {
    tally->own++;
    tally->own_bytes += frame.size;
    counters_.remark(SinkRemark::own);
    return;
  }
  if (!rate_.take()) {
    tally->lose(frame.size);
    counters_.remark(SinkRemark::rate);
    return;
  }
  const uint32_t size = std::min(frame.size, most_frame());
  if (size < frame.size) {
    tally->lost_bytes += frame.size - size;
    counters_.remark(SinkRemark::cut);
  }
  const dpcap_tunnelled what{
      size, sequence_++, frame.time_ns, lane.id.port, lane.id.direction == Direction::tx, size < frame.len};
  Slot& slot = slots_[count_++];
  dpcap_tunnel_write_head(&tunnel_, &what, frame.bytes, slot.head);
  slot.parts[0] = {slot.head, head_size_};
  slot.parts[1] = {const_cast<uint8_t*>(frame.bytes), size};
}

// The kernel stops at the first packet that it does not take, and says why when that is the first one of a call.
void TunnelSink::send(Tally* tally) {
  for (uint32_t at = 0; at < count_;) {
    const int sent = sendmmsg(socket_.get(), messages_ + at, count_ - at, MSG_DONTWAIT);
    if (sent > 0) {
      for (const uint32_t end = at + static_cast<uint32_t>(sent); at < end; at++) {
        note_sent(slots_[at].parts[1].iov_len, tally);
      }
      continue;
    }
    const int err = errno;
    if (err == EINTR || (err == ENOBUFS && has_room_again())) continue;
    refused(err);
    tally->lose(slots_[at++].parts[1].iov_len);
  }
}

// The network says that an earlier packet did not arrive, but not which: it counts as one of the lane and size at hand.
void TunnelSink::note_sent(size_t bytes, Tally* tally) {
  if (missing_ == 0) {
    tally->sent_bytes += bytes;
  } else {
    missing_--;
    tally->lose(bytes);
  }
}

// A raw socket says ENOBUFS when it is full, which is worth waiting for, and when a queue on the way has thrown the
// packet away, which is not: more would come to the same end (net/ipv4/ip_output.c of Linux 6.1, __ip_append_data).
bool TunnelSink::has_room_again() {
  hear_network();  // what it has to say would end the wait
  pollfd one{socket_.get(), POLLOUT, 0};
  return poll(&one, 1, 0) == 0 && patience_.wait_writable(socket_.get());
}

void TunnelSink::refused(int err) {
  counters_.refused(err);
  if (err != EMSGSIZE) return;
  const uint32_t mtu = path_mtu(socket_.get());
  if (mtu != 0) mtu_ = std::min(mtu_, mtu);
}

void TunnelSink::hear_network() {
  const NetworkErrors errors = take_errors(socket_.get());
  missing_ += errors.packets;
  if (errors.last != 0) counters_.refused(errors.last);
}

void TunnelSink::tick(uint64_t now_ns, uint64_t) {
  if (now_ns - heard_at_ns_ < kLookNs) return;
  heard_at_ns_ = now_ns;
  hear_network();
}

}  // namespace dpcap
