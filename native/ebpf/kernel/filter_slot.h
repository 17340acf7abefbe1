// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Where the filter of a capture goes while the programs are loaded (native/ebpf/loading/filter_slot.h).
#pragma once
#include "ebpf/kernel/maps.h"
#include "ebpf/kernel/probe.h"

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

// Says whether a filter selects a packet. The filter of a capture takes the place of these instructions: as long as
// they are here, or where the kernel does not take a filter's, the engine's decides. The function is a global one, so
// that the kernel's verifier looks at it once, and not with all that may be known where it is called.
__weak __attribute__((noinline)) int select_packet(struct dpcap_probe_header *header) {
  register int verdict asm("r0");
  register struct dpcap_probe_header *given asm("r1") = header;
  asm volatile("r0 = " TEXT(DPCAP_PROBE_FILTER_MARK) " ll\n"
               ".rept " TEXT(DPCAP_PROBE_FILTER_INSNS) " - 2\n"
               "r0 = " TEXT(DPCAP_PROBE_UNDECIDED) "\n"
               ".endr\n"
               : "=r"(verdict), "+r"(given)
               :
               : "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "memory");
  return verdict;
}
