#include "core/pdump.h"

#include <rte_config.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_memzone.h>
#include <rte_pdump.h>
#include <rte_string_fns.h>
#include <rte_version.h>

#include <cstdlib>
#include <cstring>

#include "core/error.h"

namespace dpcap {
namespace {

constexpr char kAction[] = "mp_pdump";
enum Operation : uint16_t { kDisable = 1, kEnable = 2 };

// The request of 21.11 to 26.07 (lib/pdump/rte_pdump.c). The server refuses any other length.
struct Request {
  uint16_t ver;
  uint16_t op;
  uint32_t flags;
  char device[RTE_DEV_NAME_MAX_LEN];
  uint16_t queue;
  rte_ring* ring;
  rte_mempool* mp;
  const rte_bpf_prm* prm;
  uint32_t snaplen;
};
static_assert(sizeof(Request) == 112 && offsetof(Request, ring) == 80, "wire layout of mp_pdump");

struct Response {
  uint16_t ver;
  uint16_t res_op;
  int32_t err_value;
};
static_assert(sizeof(Response) == 8, "wire layout of mp_pdump's reply");

// The one place that knows the sign of the server's error. It answers 0 or a negative errno, but a failed callback
// registration passes a positive rte_errno through (all releases to 26.07). librte_pdump's own wrapper changed its sign
// in 23.11; we talk to the server and are not concerned.
int positive_errno(int32_t err_value) { return err_value < 0 ? -err_value : err_value; }

Reply send(const Request& request, int timeout_ms) {
  rte_mp_msg message;
  memset(&message, 0, sizeof message);
  rte_strscpy(message.name, kAction, sizeof message.name);
  message.len_param = sizeof request;
  memcpy(message.param, &request, sizeof request);

  const timespec timeout = {timeout_ms / 1000, (timeout_ms % 1000) * 1000000L};
  struct rte_mp_reply replies;
  memset(&replies, 0, sizeof replies);
  if (rte_mp_request_sync(&message, &replies, &timeout) < 0) {
    const int err = positive_errno(rte_errno);
    free(replies.msgs);
    // The request may have been carried out all the same when only the answer is missing.
    return {err == ETIMEDOUT ? Outcome::unknown : Outcome::failed, err};
  }
  Reply reply{Outcome::unknown, ETIMEDOUT};
  if (replies.nb_received == 1 && replies.msgs[0].len_param >= static_cast<int>(sizeof(Response))) {
    Response response;
    memcpy(&response, replies.msgs[0].param, sizeof response);
    const int err = positive_errno(response.err_value);
    reply = {err == 0 ? Outcome::done : Outcome::failed, err};
  }
  free(replies.msgs);
  return reply;
}

Request request_for(const PdumpTarget& target, Operation op) {
  if (target.queue >= RTE_MAX_QUEUES_PER_PORT) {
    // The server indexes a static array with it, unchecked (1.4 of the pdump reference).
    throw Error("ERR_QUEUE_RANGE", "queue " + std::to_string(target.queue) + " is out of range", ERANGE);
  }
  Request request;
  memset(&request, 0, sizeof request);
  request.op = op;
  request.ver = static_cast<uint16_t>(CopyMode::plain);
  request.flags = static_cast<uint32_t>(target.direction);
  request.queue = target.queue;
  if (rte_strscpy(request.device, target.device.c_str(), sizeof request.device) < 0) {
    throw Error("ERR_PORT_UNKNOWN", "the device name " + target.device + " is too long", ENAMETOOLONG, target.device);
  }
  return request;
}

using QueueStats = struct rte_pdump_stats;  // the name is a function's, too

struct StatsZone {
  QueueStats rx[RTE_MAX_ETHPORTS][RTE_MAX_QUEUES_PER_PORT];
  QueueStats tx[RTE_MAX_ETHPORTS][RTE_MAX_QUEUES_PER_PORT];
};

// The zone is found once, under a lock that a dying primary may hold for ever; from then on its descriptor is looked
// at, which stays mapped and is zeroed before the zone is freed (rte_pdump_uninit).
const StatsZone* stats_zone() {
  static const rte_memzone* zone = nullptr;
  if (zone == nullptr) zone = rte_memzone_lookup("rte_pdump_stats");
  if (zone == nullptr || zone->len < sizeof(StatsZone)) return nullptr;
  return static_cast<const StatsZone*>(zone->addr);
}

uint64_t load(const volatile uint64_t& counter) { return counter; }

}  // namespace

std::string text_of(const PdumpTarget& target) {
  return target.device + " queue " + std::to_string(target.queue) + (target.direction == Direction::rx ? " rx" : " tx");
}

Reply pdump_enable(const PdumpTarget& target, const PdumpEnable& enable, int timeout_ms) {
  Request request = request_for(target, kEnable);
  request.ver = static_cast<uint16_t>(enable.mode);
  request.ring = enable.ring;
  request.mp = enable.pool;
  request.prm = enable.program;
  request.snaplen = enable.snaplen;
  return send(request, timeout_ms);
}

Reply pdump_disable(const PdumpTarget& target, int timeout_ms) {
  const Reply reply = send(request_for(target, kDisable), timeout_ms);
  // "No callback on this queue": somebody disabled it before us, which is what we wanted.
  if (reply.outcome == Outcome::failed && reply.err == EINVAL) return {Outcome::done, 0};
  return reply;
}

void register_with_pdump() {
#if RTE_VERSION >= RTE_VERSION_NUM(25, 11, 0, 0)
  if (rte_pdump_init() < 0) {
    throw Error("ERR_PRIMARY_NOT_CAPTURABLE", "rte_pdump_init failed in the secondary", rte_errno);
  }
#endif
}

bool pdump_ready() { return stats_zone() != nullptr; }

std::optional<PdumpCounters> pdump_counters(uint16_t port, uint16_t queue, Direction direction) {
  const StatsZone* zone = stats_zone();
  if (zone == nullptr || port >= RTE_MAX_ETHPORTS || queue >= RTE_MAX_QUEUES_PER_PORT) return std::nullopt;
  const QueueStats& stats = direction == Direction::rx ? zone->rx[port][queue] : zone->tx[port][queue];
  const auto* words = reinterpret_cast<const volatile uint64_t*>(&stats);
  return PdumpCounters{load(words[0]), load(words[1]), load(words[2]), load(words[3])};
}

}  // namespace dpcap
