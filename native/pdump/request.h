// mp_pdump requests as they go over DPDK's multi-process channel: which layouts exist, and which one a primary accepts.
#pragma once
#include <rte_bpf.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include <cstdint>
#include <string>

namespace dpcap {

enum class PdumpOperation : uint16_t { disable = 1, enable = 2 };

// The content of a request, whatever its layout.
struct PdumpRequest {
  uint16_t ver = 0;
  uint16_t op = 0;
  uint32_t flags = 0;
  std::string device;  // shorter than RTE_DEV_NAME_MAX_LEN
  uint16_t queue = 0;
  rte_ring* ring = nullptr;
  rte_mempool* pool = nullptr;
  const rte_bpf_prm* program = nullptr;
  uint32_t snaplen = 0;
};

// What is known after a request. `unknown` (no answer in time) is not `failed`: the callback may be live. A request
// that is `not_sent` never reached the primary, so nothing has changed.
enum class Outcome { done, failed, unknown, not_sent };

struct Reply {
  Outcome outcome;
  int err;  // positive errno unless done; EPROTONOSUPPORT: the primary accepts no layout that dpcap knows
};

// Bytes of a stock primary's request.
constexpr int kPdumpRequestBytes = 112;

// How long the primary may take over an answer, in ms: librte_pdump waits as long. From 25.11 on the primary itself
// waits up to 5 s for its secondaries before it answers (Release::forwards_requests), so the end of that is waited for:
// otherwise every outcome would be unknown beside a secondary that does not answer.
int answer_ms();

// Sends a request in the layout that the primary accepts. Blocks for timeout_ms; for several times
// that when the layout has to be found out, or an earlier answer is still on its way. Not on an EAL callback thread. Of
// several calls at once, one waits for the other.
Reply send_pdump_request(const PdumpRequest& request, int timeout_ms);

// The primary is a DPVS: its patched layout is then tried first, so that it refuses no request and logs no error.
void expect_dpvs_layout();

// Sends the primary a request that changes nothing, and waits for the answer. The primary logs an error for it, so do
// not call it without need. (EAL answers no other request to the sender alone: the one that each secondary sends at its
// start, "bus_vdev_mp", is passed on to all secondaries, and when eight started at once, their sockets, of ten messages
// each, filled up.)
bool primary_answers(int timeout_ms);

}  // namespace dpcap
