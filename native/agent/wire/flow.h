// What is said about mirrors in hardware between the agent inside an application and those outside; protocol.h has the
// frame, and mirror.h what names a mirror. Such a mirror is one or several rte_flow rules of the application's primary,
// each with a SAMPLE action: the NIC copies the packets that match, and does with the originals what the rule says.
// Numbers are little-endian; addresses are in network order.
#pragma once

#include "agent/mirror.h"

#define DPCAP_FLOW_MOST_RULES 32u
#define DPCAP_FLOW_TEXT_BYTES 512u
#define DPCAP_FLOW_MESSAGE_BYTES 192u

enum dpcap_flow_flag {
  DPCAP_FLOW_TRANSFER = 1,       // rules of the embedded switch, for what the source port represents; else ingress ones
  DPCAP_FLOW_COUNT = 2,          // with a COUNT action, whose figures are in the status
  DPCAP_FLOW_VALIDATE_ONLY = 4,  // the driver is asked whether it would take the rules: nothing stays
};

enum dpcap_flow_fate {
  DPCAP_FLOW_DROP = 1,
  DPCAP_FLOW_QUEUE = 2,  // of the source port
  DPCAP_FLOW_PORT = 3,   // to what this port represents
  DPCAP_FLOW_JUMP = 4,   // to the rules of another group
};

// Where packets go: the fate of the originals, or a copy, which has QUEUE and PORT alone.
struct dpcap_flow_destination {
  uint32_t kind;  // enum dpcap_flow_fate
  uint32_t value;
  char device[DPCAP_AGENT_DEVICE_BYTES];  // of a PORT; else empty
};

enum dpcap_flow_match_flag {
  DPCAP_FLOW_TAGGED = 1,    // an 802.1Q tag with this vlan_tci, as far as its mask says
  DPCAP_FLOW_UNTAGGED = 2,  // none
};

// The pattern of one rule. A mask of zeros: that field does not matter.
struct dpcap_flow_match {
  uint8_t source_mac[6];
  uint8_t source_mac_mask[6];
  uint8_t target_mac[6];
  uint8_t target_mac_mask[6];
  uint16_t ether_type;
  uint16_t ether_type_mask;
  uint16_t vlan_tci;
  uint16_t vlan_tci_mask;
  uint16_t flags;      // enum dpcap_flow_match_flag
  uint8_t ip_version;  // 0, 4 or 6. IPv4 addresses take the first four bytes
  uint8_t ports_of;    // 0, or the protocol whose ports are meant: 6, 17 or 132
  uint8_t protocol;
  uint8_t protocol_mask;
  uint16_t source_port;
  uint16_t source_port_mask;
  uint16_t target_port;
  uint16_t target_port_mask;
  uint8_t source_ip[16];
  uint8_t source_ip_mask[16];
  uint8_t target_ip[16];
  uint8_t target_ip_mask[16];
  uint16_t reserved;
};

// Behind it: a dpcap_flow_match for each rule, then the text, for people.
struct dpcap_flow_order {
  uint32_t id;  // chosen by the client, among those of all mirrors; not 0
  uint32_t owner_pid;
  uint64_t owner_start_ticks;
  uint32_t lease_seconds;
  uint32_t flags;  // enum dpcap_flow_flag
  uint32_t ratio;  // one packet in so many is copied; at least 1, which is all of them
  uint32_t rule_count;
  uint32_t text_bytes;
  uint16_t through;  // the port whose driver is asked
  uint16_t source;   // the port that is mirrored: the same one, or the representor of a VF
  struct dpcap_flow_destination fate;
  struct dpcap_flow_destination copy;
  char through_device[DPCAP_AGENT_DEVICE_BYTES];
  char source_device[DPCAP_AGENT_DEVICE_BYTES];
};

enum dpcap_flow_end {
  DPCAP_FLOW_CLEARED = 0,
  DPCAP_FLOW_LEASE_OVER = 1,
  DPCAP_FLOW_PORT_STOPPED = 2,    // the port that has the rules, whose driver has taken them away
  DPCAP_FLOW_OTHERS_STOPPED = 3,  // another port of the mirror's
};

// The name of an end, as programs are told.
static inline const char *dpcap_flow_end_name(uint32_t end) {
  switch (end) {
    case DPCAP_FLOW_LEASE_OVER:
      return "lease-over";
    case DPCAP_FLOW_PORT_STOPPED:
      return "port-stopped";
    case DPCAP_FLOW_OTHERS_STOPPED:
      return "other-port-stopped";
    default:
      return "cleared";
  }
}

struct dpcap_flow_status {
  uint32_t id;
  uint32_t state;   // enum dpcap_mirror_state
  uint32_t reason;  // enum dpcap_flow_end, of one that has ended
  uint32_t owner_pid;
  uint64_t owner_start_ticks;
  uint32_t lease_left;  // seconds
  uint32_t flags;
  uint32_t ratio;
  uint32_t rule_count;
  uint16_t through;
  uint16_t source;
  uint16_t proxy;  // the port that the rules were made at: rte_flow_pick_transfer_proxy()
  uint16_t has_counters;
  uint64_t packets;  // that matched, as the NIC counts
  uint64_t bytes;
  struct dpcap_flow_destination fate;
  struct dpcap_flow_destination copy;
  char through_device[DPCAP_AGENT_DEVICE_BYTES];
  char source_device[DPCAP_AGENT_DEVICE_BYTES];
  char text[DPCAP_FLOW_TEXT_BYTES];
};

enum dpcap_flow_step {
  DPCAP_FLOW_PICK_PROXY = 1,
  DPCAP_FLOW_VALIDATE = 2,
  DPCAP_FLOW_CREATE = 3,
  DPCAP_FLOW_DESTROY = 4,
};

// What the driver has said, behind the errno of an answer.
struct dpcap_flow_refusal {
  uint32_t step;
  uint32_t rule;  // its number, from 0
  uint32_t type;  // enum rte_flow_error_type
  uint32_t reserved;
  char message[DPCAP_FLOW_MESSAGE_BYTES];
};

struct dpcap_tx_loopback {
  uint16_t port;
  uint16_t is_on;
  uint32_t reserved;
  char device[DPCAP_AGENT_DEVICE_BYTES];
};
