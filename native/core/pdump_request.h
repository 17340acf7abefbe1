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

// Asks the primary something that it answers at once and that changes nothing, and waits for the answer. False without
// one: then nothing should be asked for that could be half done.
bool primary_answers(int timeout_ms);

}  // namespace dpcap
