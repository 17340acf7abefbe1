#include "core/drain.h"

#include <pthread.h>
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>
#include <sys/prctl.h>
#include <time.h>

#include <algorithm>
#include <cstring>

#include "core/packet.h"

namespace dpcap {
namespace {

constexpr uint32_t kBusyBurst = 256;  // from here on a round is followed by the next without a pause
constexpr uint32_t kShortSleepUs = 100;
constexpr uint32_t kLongSleepUs = 1000;
constexpr double kIdleShare = 0.015;  // of a core, for an idle capture
constexpr uint32_t kWakesPerMeasure = 256;
constexpr uint64_t kFlushUs = 20000;  // live readers see a packet within 100 ms
constexpr uint64_t kSettleUs = 50;
constexpr uint64_t kSettleHoldUs = 50000;
constexpr uint64_t kReorderUs = 50;
constexpr size_t kFreeBurst = 512;

uint64_t thread_cpu_ns() {
  timespec used;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return used.tv_sec * 1000000000ull + used.tv_nsec;
}

}  // namespace

Drain::Drain(const DrainOptions& options, std::deque<Lane>& lanes, CopyPool& pool, const std::vector<Sink*>& sinks,
             uint64_t header_bytes)
    : options_(options),
      lanes_(lanes),
      pool_(pool),
      wall_(rte_get_tsc_hz()),
      stamps_(rte_get_tsc_hz()),
      settle_ticks_(wall_.ticks(kSettleUs)),
      reorder_ticks_(lanes.size() > 1 ? wall_.ticks(kReorderUs) : 0),
      file_bytes_(header_bytes) {
  to_free_.reserve(kFreeBurst + 64);
  for (Sink* sink : sinks) feeds_.push_back({sink});
}

Drain::~Drain() { stop(); }

void Drain::start() {
  thread_ = std::thread([this] { run(); });
}

void Drain::stop() {
  if (!thread_.joinable()) return;
  stop_ = true;
  thread_.join();
}

void Drain::run() {
  pthread_setname_np(pthread_self(), "dpcap-drain");
  prctl(PR_SET_TIMERSLACK, 1);
  for (Lane& lane : lanes_) lane.empty_tsc = rte_get_tsc_cycles();
  while (!stop_.load(std::memory_order_relaxed)) round(false);
  // Bounded, for the case that a target could not be disabled and the primary goes on filling its ring.
  for (uint64_t drained = 0; drained < 2ull * pool_.mbufs();) {
    const uint32_t found = round(true);
    if (found == 0 && !holds_packets()) break;
    drained += found;
  }
  flush_all();
}

// One look at every ring. Returns how many packets were found.
uint32_t Drain::round(bool last) {
  const uint64_t now = rte_get_tsc_cycles();
  wall_.refresh(now);

  uint32_t found = 0;
  for (Lane& lane : lanes_) found += refill(lane, now);
  for (Lane& lane : lanes_) resolve(lane);
  emit_until(last ? UINT64_MAX : now - reorder_ticks_);
  free_now();

  flush_old(now);
  if (!last) wait(found);
  return found;
}

bool Drain::holds_packets() const {
  return std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.count != 0; });
}

uint32_t Drain::refill(Lane& lane, uint64_t now) {
  if (lane.head != 0) {
    std::copy(lane.pending + lane.head, lane.pending + lane.head + lane.count, lane.pending);
    std::copy(lane.arrival + lane.head, lane.arrival + lane.head + lane.count, lane.arrival);
    lane.head = 0;
  }
  const uint32_t room = Lane::kPending - lane.count;
  rte_mbuf** fresh = lane.pending + lane.count;
  const uint32_t found = rte_ring_sc_dequeue_burst(lane.ring.get(), reinterpret_cast<void**>(fresh), room, nullptr);

  const bool stamped = options_.mode == CopyMode::stamped;
  for (uint32_t i = 0; i < found; i++) {
    if (i + 8 < found) rte_prefetch0(fresh[i + 8]);
    if (i + 4 < found && stamped) rte_prefetch0(rte_pktmbuf_mtod(fresh[i + 4], void*));
    lane.arrival[lane.count + i] = stamped ? stamp_of(fresh[i]) : now;
  }
  if (stamped && found != 0) {
    // The first bounds the clock from below, the last from above.
    stamps_.observe(lane.arrival[lane.count], lane.empty_tsc, now);
    stamps_.observe(lane.arrival[lane.count + found - 1], lane.empty_tsc, now);
  }
  lane.count += found;
  lane.unresolved += found;
  lane.more = found == room;
  if (!lane.more) lane.empty_tsc = now;
  return found;
}

// Turns stamps into arrival times. Only at the very start of a capture, while the primary's clock is not yet known to
// kSettleUs, are packets held back: for at most kSettleHoldUs.
void Drain::resolve(Lane& lane) {
  if (lane.unresolved == 0) return;
  if (options_.mode == CopyMode::stamped) {
    if (!stamps_.is_settled(settle_ticks_) && !stop_) {
      const uint64_t now = rte_get_tsc_cycles();
      if (uncalibrated_since_ == 0) uncalibrated_since_ = now;
      if (now - uncalibrated_since_ < wall_.ticks(kSettleHoldUs) && lane.count < Lane::kPending) return;
    }
    const uint64_t now = rte_get_tsc_cycles();
    for (uint32_t i = lane.head + lane.count - lane.unresolved; i < lane.head + lane.count; i++) {
      lane.arrival[i] = std::min(stamps_.arrival(lane.arrival[i]), now);
    }
  }
  lane.unresolved = 0;
}

// Merges the lanes by arrival. Packets that arrived after `horizon` wait: an earlier one may not be in its ring yet.
void Drain::emit_until(uint64_t horizon) {
  while (true) {
    Lane* first = nullptr;
    uint64_t next = horizon;  // the earliest arrival on the other lanes
    for (Lane& lane : lanes_) {
      if (lane.count == 0 && lane.more) return;  // what comes next there may be earlier than all others
      if (lane.count == lane.unresolved) continue;
      const uint64_t arrival = lane.arrival[lane.head];
      if (first == nullptr || arrival < first->arrival[first->head]) {
        if (first != nullptr) next = std::min(next, first->arrival[first->head]);
        first = &lane;
      } else {
        next = std::min(next, arrival);
      }
    }
    if (first == nullptr || first->arrival[first->head] > horizon) return;
    do {
      emit(*first);
    } while (first->count > first->unresolved && first->arrival[first->head] <= next);
  }
}

void Drain::emit(Lane& lane) {
  rte_mbuf* mbuf = lane.pending[lane.head];
  const uint64_t arrival = lane.arrival[lane.head];
  lane.head++;
  lane.count--;
  if (limit_reached_.load(std::memory_order_relaxed)) {
    lane.surplus.add(1);
  } else if (feeds_[lane.sink].sink->failure() != 0) {
    lane.sinkdrop.add(1);
  } else {
    record(lane, mbuf, arrival);
  }
  free_later(mbuf);
}

void Drain::record(Lane& lane, const rte_mbuf* mbuf, uint64_t arrival_tsc) {
  const Packet packet = read_packet(mbuf, options_.mode, lane.target.direction, options_.file.snaplen);
  lane.last_ns = std::max(lane.last_ns, wall_.to_ns(arrival_tsc));  // never decreasing within a queue
  const RecordHead head{lane.last_ns,   packet.caplen,     packet.len,
                        lane.interface, lane.target.queue, lane.target.direction};

  const size_t size = record_size(options_.file.format, packet.caplen);
  Block* block = room_for(feeds_[lane.sink], size);
  uint8_t* out = block->bytes.get() + block->used;
  out += write_record_head(options_.file, head, out);
  copy_packet(packet, out);
  write_record_tail(options_.file, head, out + packet.caplen);
  block->used += size;
  block->lanes.push_back(static_cast<uint16_t>(lane.index));

  lane.recorded.add(1);
  lane.bytes.add(packet.caplen);
  recorded_++;
  file_bytes_ += size;
  if (recorded_ == options_.packet_limit || (options_.byte_limit != 0 && file_bytes_ >= options_.byte_limit)) {
    limit_reached_ = true;
    flush_all();
  }
}

Block* Drain::room_for(Feed& feed, size_t size) {
  if (feed.block != nullptr && feed.block->used + size > Sink::kBlockBytes) flush(feed);
  if (feed.block == nullptr) {
    feed.block = feed.sink->acquire();
    feed.since = rte_get_tsc_cycles();
  }
  return feed.block;
}

void Drain::flush(Feed& feed) {
  if (feed.block == nullptr) return;
  feed.sink->submit(feed.block);
  feed.block = nullptr;
}

void Drain::flush_all() {
  for (Feed& feed : feeds_) flush(feed);
}

void Drain::flush_old(uint64_t now) {
  for (Feed& feed : feeds_) {
    if (feed.block != nullptr && now - feed.since > wall_.ticks(kFlushUs)) flush(feed);
  }
}

// Segments go back to the pool in bulk, in the state in which a pool expects them.
void Drain::free_later(rte_mbuf* mbuf) {
  for (rte_mbuf* segment = mbuf; segment != nullptr;) {
    rte_mbuf* next = segment->nb_segs == 1 && segment == mbuf ? nullptr : segment->next;
    if (next != nullptr) segment->next = nullptr;
    segment->nb_segs = 1;
    to_free_.push_back(segment);
    segment = next;
  }
  if (to_free_.size() >= kFreeBurst) free_now();
}

void Drain::free_now() {
  if (to_free_.empty()) return;
  pool_.give_back(to_free_.data(), static_cast<uint32_t>(to_free_.size()));
  to_free_.clear();
}

// Under load rounds follow each other; with little traffic the thread sleeps, and longer the longer nothing comes.
// Timestamps do not suffer when the primary stamps; in plain mode the sleep is their error, so it stays short.
void Drain::wait(uint32_t found) {
  if (found >= kBusyBurst) {
    sleep_us_ = 0;
    return;
  }
  const bool settling = uncalibrated_since_ != 0 && !stamps_.is_settled(settle_ticks_);
  const uint32_t longest = options_.mode == CopyMode::plain || settling ? kShortSleepUs : idle_sleep_us_;
  sleep_us_ = found != 0 ? kShortSleepUs : std::min(longest, std::max(kShortSleepUs, sleep_us_ + sleep_us_ / 8));
  const timespec pause = {0, static_cast<long>(sleep_us_) * 1000};
  nanosleep(&pause, nullptr);
  if (found == 0) measure_wakes();
}

// A wake-up costs 3 us of CPU on a plain machine and 20 in a virtual one: sleep as short as kIdleShare allows.
void Drain::measure_wakes() {
  if (++wakes_ < kWakesPerMeasure) return;
  const uint64_t used = thread_cpu_ns();
  const double us_per_wake = static_cast<double>(used - wakes_cpu_ns_) / wakes_ / 1000;
  idle_sleep_us_ = std::clamp(static_cast<uint32_t>(us_per_wake / kIdleShare), kShortSleepUs, kLongSleepUs);
  wakes_cpu_ns_ = used;
  wakes_ = 0;
}

}  // namespace dpcap
