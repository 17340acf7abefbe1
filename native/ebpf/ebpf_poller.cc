#include "ebpf/ebpf_poller.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "ebpf/wall_offset.h"

namespace dpcap {
namespace {

// A thread takes the time before it copies, and is done a little later. A burst that comes later still, because its
// thread had lost its CPU, is given the time of the last one before it.
constexpr uint64_t kSeenLateNs = 2'000'000;
// After so many packets the sink is next, however many more are in the ring.
constexpr uint32_t kMostInLook = 4096;
// A packet takes about so much of the ring; for how long a thread may sleep.
constexpr uint64_t kPacketBytes = 256;
// Clocks are read one after the other; what differs by less is not a clock that was set.
constexpr uint64_t kStepNs = 1'000'000;
constexpr size_t kMostSpare = 256;

}  // namespace

EbpfPoller::EbpfPoller(const std::vector<Lane*>& lanes, const EbpfInput& input, std::unique_ptr<PacketWriter> writer,
                       Admission& admission)
    : input_(input),
      writer_(std::move(writer)),
      admission_(admission),
      wall_offset_ns_(read_wall_offset(now_ns).ns),
      mbufs_(DPCAP_PROBE_MOST_PACKETS),
      is_selected_(DPCAP_PROBE_MOST_PACKETS),
      times_ns_(DPCAP_PROBE_MOST_PACKETS) {
  for (Lane* lane : lanes) {
    lanes_.resize(std::max(lanes_.size(), lane->index + 1));
    lanes_[lane->index] = lane;
  }
  lost_.resize(lanes_.size());
  packets_.reserve(DPCAP_PROBE_MOST_PACKETS);
  memset(static_cast<void*>(mbufs_.data()), 0, mbufs_.size() * sizeof(rte_mbuf));
}

uint32_t EbpfPoller::poll() {
  found_ = 0;
  const uint64_t now = now_ns(CLOCK_MONOTONIC);
  look_at_clock();
  input_.take_bursts([this](const uint8_t* bytes, size_t size) { return hold(bytes, size); });
  // Where the ring was not emptied, nobody knows how old the rest is: what is held goes on all the same.
  looked_ns_ = now;
  return found_;
}

// Almost always the burst is the youngest.
bool EbpfPoller::hold(const uint8_t* bytes, size_t size) {
  dpcap_probe_burst burst;
  if (size < sizeof burst) return true;
  memcpy(&burst, bytes, sizeof burst);
  if (burst.lane >= lanes_.size() || lanes_[burst.lane] == nullptr) return true;
  Held held{burst.time_ns, lanes_[burst.lane], std::min(burst.packets, DPCAP_PROBE_MOST_PACKETS), burst.lost, {}};
  if (!spare_.empty()) {
    held.bytes = std::move(spare_.back());
    spare_.pop_back();
  }
  held.bytes.assign(bytes + sizeof burst, bytes + size);
  auto at = held_.end();
  while (at != held_.begin() && std::prev(at)->time_ns > held.time_ns) --at;
  found_ += held.packets;
  held_.insert(at, std::move(held));
  return found_ < kMostInLook;
}

uint32_t EbpfPoller::deliver(More more) {
  uint32_t delivered = 0;
  const uint64_t until_ns = looked_ns_ - std::min(looked_ns_, kSeenLateNs);
  while (!held_.empty() && (more == More::none || held_.front().time_ns <= until_ns)) {
    Held held = std::move(held_.front());
    held_.pop_front();
    delivered += held.packets;
    record(held);
    if (spare_.size() < kMostSpare) spare_.push_back(std::move(held.bytes));
  }
  return delivered;
}

void EbpfPoller::record(const Held& held) {
  last_ns_ = std::max(last_ns_, held.time_ns);
  note_lost(held);
  uint32_t count = read_packets(held);
  lost_[held.lane->index].untold += held.packets - count;
  count = select(held, count);
  const uint32_t admitted = admission_.admit(*held.lane, count);
  if (admitted == 0) return;
  std::fill_n(times_ns_.begin(), admitted, static_cast<uint64_t>(static_cast<int64_t>(last_ns_) + wall_offset_ns_));
  Burst burst{*held.lane, packets_.data(), times_ns_.data(), admitted};
  burst.steps_ns = input_.tallies.steps_ns;
  uint64_t& untold = lost_[held.lane->index].untold;
  burst.lost = untold;
  const Written written = writer_->put(burst);
  if (written.packets != 0) untold = 0;
  admission_.recorded(*held.lane, admitted, written);
}

// Several threads may count for a lane, and their bursts come in another order.
void EbpfPoller::note_lost(const Held& held) {
  Lost& lost = lost_[held.lane->index];
  if (held.lost <= lost.known) return;
  lost.untold += held.lost - lost.known;
  lost.known = held.lost;
}

// Makes mbufs of the packets of a burst, whose data stay where they are. Returns how many could be read. Of one that
// was cut off in the middle, an mbuf tells the whole length.
uint32_t EbpfPoller::read_packets(const Held& held) {
  packets_.clear();
  size_t at = 0;
  uint32_t seen = 0;
  dpcap_probe_packet packet;
  for (; seen < held.packets && at + sizeof packet <= held.bytes.size(); seen++) {
    memcpy(&packet, held.bytes.data() + at, sizeof packet);
    at += sizeof packet;
    if (packet.caplen > held.bytes.size() - at) break;
    if (packet.is_read) {
      rte_mbuf& mbuf = mbufs_[packets_.size()];
      mbuf.buf_addr = const_cast<uint8_t*>(held.bytes.data()) + at;
      mbuf.buf_len = mbuf.data_len = static_cast<uint16_t>(packet.caplen);
      mbuf.pkt_len = packet.len;
      mbuf.nb_segs = 1;
      mbuf.ol_flags = packet.ol_flags;
      mbuf.hash.rss = packet.hash;
      mbuf.vlan_tci = packet.vlan_tci;
      mbuf.vlan_tci_outer = packet.vlan_tci_outer;
      is_selected_[packets_.size()] = packet.is_selected != 0;
      packets_.push_back(&mbuf);
    }
    at = (at + packet.caplen + 7) & ~size_t{7};
  }
  input_.tallies.unread[held.lane->index].add(held.packets - packets_.size());
  return static_cast<uint32_t>(packets_.size());
}

// What the filter in the kernel has not decided is here whole.
uint32_t EbpfPoller::select(const Held& held, uint32_t count) {
  const Filters& filters = input_.filters[held.lane->rule.filter];
  const Interpreter& filter = held.lane->id.direction == Direction::rx ? filters.rx : filters.tx;
  const auto refused = [&](const rte_mbuf* mbuf) {
    return !is_selected_[static_cast<size_t>(mbuf - mbufs_.data())] && !filter.matches(mbuf, 0, mbuf->data_len, false);
  };
  packets_.erase(std::remove_if(packets_.begin(), packets_.end(), refused), packets_.end());
  const uint32_t selected = static_cast<uint32_t>(packets_.size());
  admission_.filtered(*held.lane, count - selected);
  return selected;
}

// Both clocks are disciplined alike; only one of them can be set. What is in doubt, the next look tells.
void EbpfPoller::look_at_clock() {
  const WallOffset now = read_wall_offset(now_ns);
  const int64_t step = now.ns - wall_offset_ns_;
  if (now.doubt_ns >= kStepNs || std::abs(step) < static_cast<int64_t>(kStepNs)) return;
  wall_offset_ns_ = now.ns;
  input_.tallies.steps_ns += step;
  input_.tallies.clock_steps++;
}

uint64_t EbpfPoller::complete_ns() const {
  const uint64_t seen = looked_ns_ - std::min(looked_ns_, kSeenLateNs);
  const uint64_t complete = held_.empty() ? seen : std::min(seen, held_.front().time_ns);
  return static_cast<uint64_t>(static_cast<int64_t>(complete) + wall_offset_ns_ - input_.tallies.steps_ns);
}

uint32_t EbpfPoller::room() const { return static_cast<uint32_t>(input_.ring_bytes / kPacketBytes); }

}  // namespace dpcap
