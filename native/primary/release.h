// What differs between releases of DPDK: every place that has to know asks here. src/native/releases.ts is the twin of
// this table for what is decided without DPDK's libraries. One addon serves all releases of an ABI, so that the headers
// tell how structs are laid out, and nothing else. Any thread.
#pragma once
#include <rte_version.h>

#include <cstdint>

namespace dpcap {

constexpr uint32_t release_number(uint32_t year, uint32_t month) { return RTE_VERSION_NUM(year, month, 0, 0); }

struct Release {
  // rte_pcapng_copy() stores the raw TSC; before, ns with a base of the primary's own (lib/pcapng/rte_pcapng.c, changed
  // in 23.11). test/native/pdump/stamp_clock.cc has both.
  bool stamps_raw_tsc;
  // The primary passes each request on to its secondaries, and a secondary has to register (lib/pdump/rte_pdump.c,
  // 25.11; before, rte_pdump_init() fails in a secondary). test/live/forwarding.ts.
  bool forwards_requests;
  // How many mbufs a core takes at once when its cache of 256 is empty and one is wanted: the cache's size and the one,
  // from 26.07 on half of it (lib/mempool/rte_mempool.h, rte_mempool_do_generic_get). test/native/primary/release.cc.
  uint32_t refill;
};

constexpr Release release_of(uint32_t number) {
  return {number >= release_number(23, 11), number >= release_number(25, 11),
          number >= release_number(26, 7) ? 128u : 257u};
}

// That of the libraries that this process has loaded, which is the primary's.
const Release& running_release();

}  // namespace dpcap
