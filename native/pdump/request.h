// mp_pdump requests as they go over DPDK's multi-process channel: the layouts there are, and which one a primary takes.
#pragma once
#include <rte_bpf.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include <cstdint>
#include <string>

namespace dpcap {

enum class PdumpOperation : uint16_t { disable = 1, enable = 2 };

// What a request says, whatever its layout.
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

// What is known after a request. `unknown` (no answer in time) is not `failed`: the callback may be live. `not_sent`:
// it never reached the primary, so nothing has changed.
enum class Outcome { done, failed, unknown, not_sent };

struct Reply {
  Outcome outcome;
  int err;  // positive errno when failed or unknown; EPROTONOSUPPORT: the primary takes no layout that we know
};

// Sends a request in the layout the primary takes. Blocks for timeout_ms at most, three times that when the layout has
// to be found out. Not from an EAL callback thread; one at a time per process.
Reply send_pdump_request(const PdumpRequest& request, int timeout_ms);

// The primary is a DPVS: its patched layout is tried first, so that no request is refused and logged as an error there.
void expect_dpvs_layout();

// Asks the primary something that changes nothing, and waits for the answer. It logs an error for it, so not without
// need. (No other question of EAL's is answered to the asker alone: what each secondary asks at its start,
// "bus_vdev_mp", is passed on to all of them, and with eight that start at once their sockets, of ten messages each,
// filled up.)
bool primary_answers(int timeout_ms);

}  // namespace dpcap
