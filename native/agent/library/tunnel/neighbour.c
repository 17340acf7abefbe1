#include "agent/library/tunnel/neighbour.h"

#include <string.h>

#include "tunnel/big_endian.h"
#include "tunnel/wire.h"

#define KNOWN (UINT64_C(1) << 48)
#define SOURCE_MAC 6u

enum { ETHER_ARP = 0x0806, ICMPV6 = 58 };
enum { NEIGHBOUR_ADVERTISEMENT = 136 };
// Of ARP for Ethernet and IPv4 (RFC 826): where the sender's addresses are, and where it ends.
enum { ARP_SENDER_MAC = 8, ARP_SENDER_IP = 14, ARP_BYTES = 28 };
// Of an advertisement (RFC 4861, section 4.4): the target's address, and its MAC address in the option behind it.
enum { ND_TARGET = 8, ND_OPTION = 24, ND_OPTION_MAC = 26, ND_TARGET_MAC = 2, ND_MAC_LENGTH = 1 };

void neighbour_begin(struct neighbour *neighbour, bool is_ipv6, const uint8_t *address) {
  neighbour->is_ipv6 = is_ipv6;
  memcpy(neighbour->address, address, sizeof neighbour->address);
  __atomic_store_n(&neighbour->mac, 0, __ATOMIC_RELAXED);
}

void neighbour_set_mac(struct neighbour *neighbour, const uint8_t *mac) {
  uint64_t value = KNOWN;
  for (uint32_t i = 0; i < NEIGHBOUR_MAC_BYTES; i++) value |= (uint64_t)mac[i] << (8 * i);
  __atomic_store_n(&neighbour->mac, value, __ATOMIC_RELAXED);
}

static bool is_known(const struct neighbour *neighbour) {
  return __atomic_load_n(&neighbour->mac, __ATOMIC_RELAXED) != 0;
}

bool neighbour_mac(const struct neighbour *neighbour, uint8_t *mac) {
  const uint64_t value = __atomic_load_n(&neighbour->mac, __ATOMIC_RELAXED);
  for (uint32_t i = 0; i < NEIGHBOUR_MAC_BYTES; i++) mac[i] = (uint8_t)(value >> (8 * i));
  return value != 0;
}

// Nobody has the address of a group, or of zeros.
static void learn(struct neighbour *neighbour, const uint8_t *mac) {
  static const uint8_t none[NEIGHBOUR_MAC_BYTES];
  if ((mac[0] & 1) == 0 && memcmp(mac, none, sizeof none) != 0) neighbour_set_mac(neighbour, mac);
}

static bool is_its(const struct neighbour *neighbour, const uint8_t *address) {
  return memcmp(address, neighbour->address, neighbour->is_ipv6 ? 16 : 4) == 0;
}

// Who asks and who answers tell their own address alike.
static void look_at_arp(struct neighbour *neighbour, const uint8_t *arp, uint32_t size) {
  static const uint8_t ethernet_and_ipv4[] = {0, 1, 8, 0, 6, 4};
  if (size < ARP_BYTES || memcmp(arp, ethernet_and_ipv4, sizeof ethernet_and_ipv4) != 0) return;
  if (is_its(neighbour, arp + ARP_SENDER_IP)) learn(neighbour, arp + ARP_SENDER_MAC);
}

// Returns whether it was one.
static bool look_at_advertisement(struct neighbour *neighbour, const uint8_t *icmp, uint32_t size) {
  if (size < ND_OPTION + 8 || icmp[0] != NEIGHBOUR_ADVERTISEMENT) return false;
  if (icmp[ND_OPTION] != ND_TARGET_MAC || icmp[ND_OPTION + 1] != ND_MAC_LENGTH) return false;
  if (is_its(neighbour, icmp + ND_TARGET)) learn(neighbour, icmp + ND_OPTION_MAC);
  return true;
}

static void look_at_ipv6(struct neighbour *neighbour, const uint8_t *frame, uint32_t size) {
  const uint8_t *const ip = frame + DPCAP_ETHERNET_HEAD;
  const uint32_t at = DPCAP_ETHERNET_HEAD + DPCAP_IPV6_HEAD;
  if (size < at) return;
  if (ip[6] == ICMPV6 && look_at_advertisement(neighbour, frame + at, size - at)) return;
  if (!is_known(neighbour) && is_its(neighbour, ip + 8)) learn(neighbour, frame + SOURCE_MAC);
}

static void look_at_ipv4(struct neighbour *neighbour, const uint8_t *frame, uint32_t size) {
  if (size < DPCAP_ETHERNET_HEAD + DPCAP_IPV4_HEAD || is_known(neighbour)) return;
  if (is_its(neighbour, frame + DPCAP_ETHERNET_HEAD + 12)) learn(neighbour, frame + SOURCE_MAC);
}

void neighbour_look(struct neighbour *neighbour, const uint8_t *frame, uint32_t size) {
  if (size < DPCAP_ETHERNET_HEAD) return;
  const uint16_t type = dpcap_get16(frame + DPCAP_ETHERNET_HEAD - 2);
  if (neighbour->is_ipv6) {
    if (type == DPCAP_ETHER_IPV6) look_at_ipv6(neighbour, frame, size);
  } else if (type == ETHER_ARP) {
    look_at_arp(neighbour, frame + DPCAP_ETHERNET_HEAD, size - DPCAP_ETHERNET_HEAD);
  } else if (type == DPCAP_ETHER_IPV4) {
    look_at_ipv4(neighbour, frame, size);
  }
}
