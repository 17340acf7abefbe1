// Options of an enhanced packet block that most packets do not have (draft-ietf-opsawg-pcapng-02, section 4.3.1). C and
// C++; any thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define EPB_OPTION_BYTES 12u  // of each of those here
#define EPB_HASH_TOEPLITZ 5u
#define EPB_LOST_HEAD (4u | 8u << 16)  // code and length

// Writes the hash that a NIC has made of a received packet (RSS).
static inline uint32_t epb_write_hash(uint32_t hash, uint8_t *out) {
  const uint32_t head = 3u | 5u << 16;  // code and length
  const uint8_t value[8] = {EPB_HASH_TOEPLITZ, (uint8_t)(hash >> 24), (uint8_t)(hash >> 16), (uint8_t)(hash >> 8),
                            (uint8_t)hash};
  memcpy(out, &head, sizeof head);
  memcpy(out + sizeof head, value, sizeof value);
  return EPB_OPTION_BYTES;
}

// Makes room for an option in a finished block, behind its other options; as many bytes behind the block must be free.
// Returns where it is to be written.
static inline uint8_t *epb_grow(uint8_t *block) {
  uint32_t length;
  memcpy(&length, block + 4, sizeof length);
  uint8_t *const option = block + length - 8;  // in front of the end of options, and the length
  length += EPB_OPTION_BYTES;
  const uint32_t end[2] = {0, length};
  memcpy(option + EPB_OPTION_BYTES, end, sizeof end);
  memcpy(block + 4, &length, sizeof length);
  return option;
}

// Adds the hash to a finished block.
static inline void epb_add_hash(uint8_t *block, uint32_t hash) { epb_write_hash(hash, epb_grow(block)); }

// Raises what a finished block says was lost before it by so many packets; false when it says nothing. Its lengths must
// agree with each other.
static inline bool epb_raise_lost(uint8_t *block, uint64_t packets) {
  uint32_t length, caplen, head;
  memcpy(&length, block + 4, sizeof length);
  memcpy(&caplen, block + 20, sizeof caplen);
  const size_t end = (size_t)length - 8;  // of options, and of the block
  for (size_t at = 28 + (((size_t)caplen + 3) & ~(size_t)3); at + EPB_OPTION_BYTES <= end;
       at += sizeof head + (((head >> 16) + 3) & ~3u)) {
    memcpy(&head, block + at, sizeof head);
    if (head != EPB_LOST_HEAD) continue;
    uint64_t told;
    memcpy(&told, block + at + sizeof head, sizeof told);
    told += packets;
    memcpy(block + at + sizeof head, &told, sizeof told);
    return true;
  }
  return false;
}

// Adds how many packets were lost between the one before it and this one to a finished block.
static inline void epb_add_lost(uint8_t *block, uint64_t packets) {
  const uint32_t head = EPB_LOST_HEAD;
  uint8_t *const option = epb_grow(block);
  memcpy(option, &head, sizeof head);
  memcpy(option + sizeof head, &packets, sizeof packets);
}
