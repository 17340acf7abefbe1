#include "pdump/client.h"

#include <rte_config.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_memzone.h>
#include <rte_pdump.h>
#include <rte_version.h>

#include <atomic>

#include "base/error.h"
#include "primary/ports.h"
#include "primary/release.h"

namespace dpcap {
namespace {

PdumpRequest request_for(const LaneId& lane, PdumpOperation op) {
  if (lane.queue >= RTE_MAX_QUEUES_PER_PORT) {
    // The server indexes a static array with the queue and does not check it (1.4 of the pdump reference).
    throw Error("ERR_QUEUE_RANGE", "queue " + std::to_string(lane.queue) + " is out of range", ERANGE);
  }
  if (lane.device.size() >= RTE_DEV_NAME_MAX_LEN) {
    throw Error("ERR_PORT_UNKNOWN", "the device name " + lane.device + " is too long", ENAMETOOLONG, lane.device);
  }
  PdumpRequest request;
  request.op = static_cast<uint16_t>(op);
  request.ver = static_cast<uint16_t>(CopyMode::plain);
  request.flags = static_cast<uint32_t>(lane.direction);
  request.queue = lane.queue;
  request.device = lane.device;
  return request;
}

using QueueStats = struct rte_pdump_stats;  // a function has this name, too

struct StatsZone {
  QueueStats rx[RTE_MAX_ETHPORTS][RTE_MAX_QUEUES_PER_PORT];
  QueueStats tx[RTE_MAX_ETHPORTS][RTE_MAX_QUEUES_PER_PORT];
};

// The memzone is looked up until it is found, under a lock that a dying primary may hold for ever. From then on only
// its descriptor is read, which stays mapped and is zeroed before the memzone is freed (rte_pdump_uninit).
const StatsZone* stats_zone() {
  static std::atomic<const rte_memzone*> found{nullptr};
  const rte_memzone* zone = found.load(std::memory_order_acquire);
  if (zone == nullptr) {
    zone = rte_memzone_lookup("rte_pdump_stats");
    found.store(zone, std::memory_order_release);
  }
  if (zone == nullptr || zone->len < sizeof(StatsZone)) return nullptr;
  return static_cast<const StatsZone*>(zone->addr);
}

// The zone ends with a pointer, and a memzone is a whole number of cache lines.
constexpr size_t kMostBehind = sizeof(void*) + RTE_CACHE_LINE_SIZE;

// The primary's cores count with relaxed atomics (lib/pdump/rte_pdump.c). Acquire: what is read from a ring after a
// counter is no older than the counter.
uint64_t load(const uint64_t& counter) { return __atomic_load_n(&counter, __ATOMIC_ACQUIRE); }

}  // namespace

int disable_timeout_ms() { return running_release().forwards_requests ? answer_ms() : 1000; }

Reply pdump_enable(const LaneId& lane, const PdumpEnable& enable, int timeout_ms) {
  PdumpRequest request = request_for(lane, PdumpOperation::enable);
  request.ver = static_cast<uint16_t>(enable.mode);
  request.ring = enable.ring;
  request.pool = enable.pool;
  request.program = enable.program;
  request.snaplen = enable.snaplen;
  return send_pdump_request(request, timeout_ms);
}

const char* reason_of(Removal removal) {
  switch (removal) {
    case Removal::no_device:
      return "its port was removed; it can be cleared once a device is in that port's place";
    case Removal::no_queue:
      return "the port has fewer queues now; it can be cleared once the queue is back";
    case Removal::taken:
      return "another tool seems to be capturing there";
    case Removal::unknown:
      return "the primary does not say whether it is off";
    default:
      return "it is off";
  }
}

namespace {

// Where a lane's callback is now: the device in its slot, by which it is addressed, or why there is none.
struct Address {
  std::string device;
  Removal obstacle;  // when device is empty
};

Address address_of(const LaneId& lane) {
  const Port port = port_in_slot(lane.port);
  if (port.name.empty()) return {"", Removal::no_device};
  const uint16_t queues = lane.direction == Direction::rx ? port.rx_queues : port.tx_queues;
  if (lane.queue >= queues) return {"", Removal::no_queue};
  return {port.name, Removal::unknown};
}

}  // namespace

Removal pdump_disable(const LaneId& lane, int timeout_ms) {
  const Address before = address_of(lane);
  if (before.device.empty()) return before.obstacle;
  LaneId now = lane;
  now.device = before.device;
  const Reply reply = send_pdump_request(request_for(now, PdumpOperation::disable), timeout_ms);
  // The answer is about the device of that name, in whatever slot it was when the primary looked.
  if (address_of(lane).device != before.device) return Removal::unknown;
  if (reply.outcome == Outcome::done) return Removal::removed;
  return reply.outcome == Outcome::failed && reply.err == EINVAL ? Removal::absent : Removal::unknown;
}

Removal pdump_disable_unless_taken(const LaneId& lane, const PdumpEnable& ours, int timeout_ms) {
  const Address address = address_of(lane);
  if (address.device.empty()) return address.obstacle;
  LaneId now = lane;
  now.device = address.device;
  const Reply reply = pdump_enable(now, ours, timeout_ms);
  if (reply.outcome == Outcome::failed && reply.err == EEXIST) return Removal::taken;
  return reply.outcome == Outcome::done ? pdump_disable(lane, timeout_ms) : Removal::unknown;
}

bool is_reachable(const LaneId& lane) { return !address_of(lane).device.empty(); }

bool is_present(const LaneId& lane) { return address_of(lane).device == lane.device; }

void refuse_other_limits() {
  const rte_memzone* zone = rte_memzone_lookup("rte_pdump_stats");
  if (zone == nullptr || (zone->len >= sizeof(StatsZone) && zone->len <= sizeof(StatsZone) + kMostBehind)) return;
  const auto queues = [](size_t bytes) { return std::to_string(bytes / sizeof(QueueStats) / 2); };
  throw Error(
      "ERR_VERSION_MISMATCH",
      "the primary's DPDK was built with other limits (RTE_MAX_ETHPORTS, RTE_MAX_QUEUES_PER_PORT): its pdump has "
      "counters for " +
          queues(zone->len) + " queues, and that of dpcap for " + queues(sizeof(StatsZone)) + " (" +
          std::to_string(RTE_MAX_ETHPORTS) + " ports of " + std::to_string(RTE_MAX_QUEUES_PER_PORT) + ")");
}

bool pdump_ready() { return stats_zone() != nullptr; }

std::optional<SourceCounters> pdump_counters(uint16_t port, uint16_t queue, Direction direction) {
  const StatsZone* zone = stats_zone();
  if (zone == nullptr || port >= RTE_MAX_ETHPORTS || queue >= RTE_MAX_QUEUES_PER_PORT) return std::nullopt;
  const QueueStats& stats = direction == Direction::rx ? zone->rx[port][queue] : zone->tx[port][queue];
  const auto* words = reinterpret_cast<const uint64_t*>(&stats);
  return SourceCounters{load(words[0]), load(words[1]), load(words[2]), load(words[3])};
}

}  // namespace dpcap
