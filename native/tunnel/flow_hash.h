// A hash of the flow that a frame belongs to. Any thread.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The same for both directions of a flow, for all its frames, cut ones and fragments alike: of the IP addresses and,
// where they are in every packet of the flow, the ports of TCP, UDP and SCTP; for what is not IP, of the MAC addresses.
// Looks behind VLAN tags. Reads `size` bytes at most.
uint32_t dpcap_flow_hash(const uint8_t* frame, uint32_t size);

#ifdef __cplusplus
}
#endif
