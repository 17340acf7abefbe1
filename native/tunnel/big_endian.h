// Numbers in network order, at any address. Any thread.
#pragma once
#include <stdint.h>

static inline void dpcap_put16(uint8_t* out, uint32_t value) {
  out[0] = (uint8_t)(value >> 8);
  out[1] = (uint8_t)value;
}

static inline void dpcap_put32(uint8_t* out, uint32_t value) {
  dpcap_put16(out, value >> 16);
  dpcap_put16(out + 2, value);
}

static inline uint16_t dpcap_get16(const uint8_t* at) { return (uint16_t)(at[0] << 8 | at[1]); }

static inline uint32_t dpcap_get32(const uint8_t* at) { return (uint32_t)dpcap_get16(at) << 16 | dpcap_get16(at + 2); }
