// The client of the pdump framework: its requests (action mp_pdump) and its statistics memzone.
#pragma once
#include <rte_bpf.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include <cstdint>
#include <optional>
#include <string>

#include "mbuf/copy_mode.h"
#include "pdump/request.h"
#include "record/lane.h"
#include "record/ledger.h"

namespace dpcap {

struct PdumpEnable {
  CopyMode mode;
  uint32_t snaplen;
  rte_ring* ring;
  rte_mempool* pool;
  const rte_bpf_prm* program;  // nullptr matches all; must be in shared memory
};

// A request is for one lane, never wider, because the server does not roll back wider ones.
//
// Blocks for timeout_ms, or longer as send_pdump_request() does. Not on an EAL callback thread.
Reply pdump_enable(const LaneId& lane, const PdumpEnable& enable, int timeout_ms);

// How long a primary may take to say that a callback is removed, in ms. The request is repeatable, so a lost answer
// costs one more.
int disable_timeout_ms();

// What is known of a callback after the primary was asked to remove it.
enum class Removal {
  removed,    // by this request
  absent,     // there was none: it was removed before
  no_device,  // the slot is empty, so nobody can remove it; it is live again with the next device there
  no_queue,   // the port has fewer queues now; the callback is live again when it has more
  taken,      // the callback there is another tool's
  unknown,    // no answer, or one that does not tell
};
constexpr bool is_off(Removal removal) { return removal == Removal::removed || removal == Removal::absent; }
// Says in words for people why a callback is not off.
const char* reason_of(Removal removal);

// Has the primary remove the callback of a lane, and tells what its answer means. Blocks as pdump_enable(). This is the
// only place that reads a reply to a disable request: capture, recovery and forward2kni all come here.
//
// The framework addresses a callback by the device's name, but stores it by slot. Whatever device is in the slot now,
// the callback there is the lane's: another one would have been refused with EEXIST. EINVAL means "no callback" only
// when that device is there and has the queue; otherwise it means that the callback cannot be reached.
Removal pdump_disable(const LaneId& lane, int timeout_ms);
// The same where another tool may have removed the callback and added one of its own, which must stay. Asks the primary
// to add dpcap's callback again, which it refuses with EEXIST while another is there; otherwise removes the callback
// that was added.
Removal pdump_disable_unless_taken(const LaneId& lane, const PdumpEnable& ours, int timeout_ms);
// Tells whether pdump_disable() could reach the callback at this moment.
bool is_reachable(const LaneId& lane);
// Tells whether the lane's own device is in its slot, with that queue.
bool is_present(const LaneId& lane);

// Throws ERR_VERSION_MISMATCH when the primary's pdump has statistics of another size: arrays in shared memory then
// have other dimensions than in this build of DPDK, although the release is the same.
void refuse_other_limits();

// True when the primary has called rte_pdump_init(). Without that, it never answers a request.
bool pdump_ready();

// Returns nullopt when pdump is not ready (a primary that ends in order takes its counters away), or when the ids are
// out of range.
std::optional<SourceCounters> pdump_counters(uint16_t port, uint16_t queue, Direction direction);

}  // namespace dpcap
