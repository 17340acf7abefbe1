// The client of the pdump framework: its requests (action mp_pdump) and its statistics memzone.
#pragma once
#include <rte_bpf.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include <cstdint>
#include <optional>
#include <string>

#include "pdump/request.h"

namespace dpcap {

enum class Direction : uint32_t { rx = 1, tx = 2 };  // RTE_PDUMP_FLAG_RX, RTE_PDUMP_FLAG_TX

// How the primary copies a packet.
enum class CopyMode : uint16_t {
  plain = 1,    // data only: cheapest; neither timestamp nor original length
  stamped = 2,  // wrapped in a pcapng block: timestamp and original length taken in the primary
};

// One port, queue and direction: requests are always this small, because the server does not roll back wider ones.
struct PdumpTarget {
  std::string device;
  uint16_t port;  // the slot that the device was in: callbacks belong to slots, and outlive their devices
  uint16_t queue;
  Direction direction;
};

// "net_null0 queue 0 rx"
std::string text_of(const PdumpTarget& target);

struct PdumpEnable {
  CopyMode mode;
  uint32_t snaplen;
  rte_ring* ring;
  rte_mempool* pool;
  const rte_bpf_prm* program;  // nullptr matches all; must be in shared memory
};

// Blocks for timeout_ms, three times that at most. Not from an EAL callback thread; one at a time per process.
Reply pdump_enable(const PdumpTarget& target, const PdumpEnable& enable, int timeout_ms);

// What is known of a callback after the primary was asked to remove it.
enum class Removal {
  removed,    // by this request
  absent,     // there was none: somebody removed it before
  no_device,  // the slot is empty, so nobody can remove it; it is live again with the next device there
  no_queue,   // the port has fewer queues now; the callback is live again when it has more
  taken,      // the callback there is somebody else's
  unknown,    // no answer, or one that does not say
};
constexpr bool is_off(Removal removal) { return removal == Removal::removed || removal == Removal::absent; }
// Why a callback that is not off is not, for people.
const char* reason_of(Removal removal);

// Has the primary remove the callback of a target, and tells what its answer means. Blocks as pdump_enable(). The only
// place that reads a reply to a disable request: capture, recovery and forward2kni all come here.
//
// The framework addresses by the device's name and keeps its books by slot. Whatever device is in the slot now, the
// callback there is the target's: nobody else's can be, as it would have been refused with EEXIST. And EINVAL means
// "no callback" only when that device is there and has the queue; else it means that the callback cannot be reached.
Removal pdump_disable(const PdumpTarget& target, int timeout_ms);
// The same where somebody else may have removed the callback and added one of his own, which must stay: asks the
// primary to add ours again, which it refuses with EEXIST while there is one, and then removes that.
Removal pdump_disable_unless_taken(const PdumpTarget& target, const PdumpEnable& ours, int timeout_ms);
// Whether pdump_disable() could reach the callback at this moment.
bool is_reachable(const PdumpTarget& target);
// Whether the target's own device is in its slot, with that queue.
bool is_present(const PdumpTarget& target);

// 25.11 and later forward requests to every secondary, and one that has not called rte_pdump_init() makes them time
// out; before, the call fails in a secondary. A no-op on releases that must not see it. Throws ERR_PRIMARY_*.
void register_with_pdump();

// pdump's counters of one queue and direction.
struct PdumpCounters {
  uint64_t accepted = 0;
  uint64_t filtered = 0;
  uint64_t nombuf = 0;
  uint64_t ringfull = 0;
};

// True when the primary called rte_pdump_init(): without it a request is never answered.
bool pdump_ready();

// Nothing when pdump is not ready (any more: a primary that ends in order takes its counters away) or the ids are out
// of range.
std::optional<PdumpCounters> pdump_counters(uint16_t port, uint16_t queue, Direction direction);

}  // namespace dpcap
