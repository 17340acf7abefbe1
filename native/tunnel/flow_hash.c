#include "tunnel/flow_hash.h"

#include <stdbool.h>

#include "tunnel/network_header.h"

enum { IPV4_FRAGMENT = 0x3fff };  // more fragments, or an offset
enum { MAC = 6, IPV4_ADDRESS = 4, IPV6_ADDRESS = 16, PORT = 2 };

// FNV-1a, and the mixing of its bits that it lacks (the end of MurmurHash3).
static uint32_t hash_of(const uint8_t* bytes, uint32_t size) {
  uint32_t hash = 2166136261u;
  for (uint32_t i = 0; i < size; i++) hash = (hash ^ bytes[i]) * 16777619u;
  return hash;
}

static uint32_t mixed(uint32_t hash) {
  hash = (hash ^ hash >> 16) * 0x85ebca6bu;
  hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
  return hash ^ hash >> 16;
}

// Of two ends that lie one behind the other, whichever comes first.
static uint32_t hash_of_ends(const uint8_t* ends, uint32_t size) {
  return mixed(hash_of(ends, size)) + mixed(hash_of(ends + size, size));
}

static uint32_t hash_of_ports(uint8_t protocol, const uint8_t* frame, uint32_t at, uint32_t size) {
  const bool has_ports = protocol == DPCAP_IP_TCP || protocol == DPCAP_IP_UDP || protocol == DPCAP_IP_SCTP;
  return has_ports && at + 2 * PORT <= size ? hash_of_ends(frame + at, PORT) : 0;
}

static uint32_t ipv4_hash(const uint8_t* frame, uint32_t at, uint32_t size) {
  const uint8_t* const ip = frame + at;
  const uint32_t ports_at = at + (ip[0] & 0xfu) * 4;
  const bool is_whole = (dpcap_get16(ip + 6) & IPV4_FRAGMENT) == 0;
  const uint32_t ports = is_whole ? hash_of_ports(ip[9], frame, ports_at, size) : 0;
  return hash_of_ends(ip + 12, IPV4_ADDRESS) + ports + ip[9];
}

static uint32_t ipv6_hash(const uint8_t* frame, uint32_t at, uint32_t size) {
  const uint8_t* const ip = frame + at;
  return hash_of_ends(ip + 8, IPV6_ADDRESS) + hash_of_ports(ip[6], frame, at + DPCAP_IPV6_HEAD, size) + ip[6];
}

uint32_t dpcap_flow_hash(const uint8_t* frame, uint32_t size) {
  const struct dpcap_network_header network = dpcap_network_header(frame, size);
  if (network.type == DPCAP_ETHER_IPV4 && network.at + DPCAP_IPV4_HEAD <= size) {
    return mixed(ipv4_hash(frame, network.at, size));
  }
  if (network.type == DPCAP_ETHER_IPV6 && network.at + DPCAP_IPV6_HEAD <= size) {
    return mixed(ipv6_hash(frame, network.at, size));
  }
  return size >= 2 * MAC ? mixed(hash_of_ends(frame, MAC)) : 0;
}
