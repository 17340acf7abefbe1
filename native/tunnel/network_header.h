// Finds the network header of a frame, behind its VLAN tags. Any thread.
#pragma once
#include <stdint.h>

#include "tunnel/big_endian.h"
#include "tunnel/wire.h"

struct dpcap_network_header {
  uint16_t type;  // EtherType; 0: the frame ends before it
  uint32_t at;    // where the header begins
};

static inline struct dpcap_network_header dpcap_network_header(const uint8_t* frame, uint32_t size) {
  uint32_t at = DPCAP_ETHERNET_HEAD;
  for (int tags = 0; at <= size; tags++, at += DPCAP_VLAN_TAG) {
    const uint16_t type = dpcap_get16(frame + at - 2);
    if ((type != DPCAP_ETHER_VLAN && type != DPCAP_ETHER_QINQ) || tags == 2) {
      return (struct dpcap_network_header){type, at};
    }
  }
  return (struct dpcap_network_header){0, size};
}
