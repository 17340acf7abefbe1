// Asks the agent inside an application for mirrors. One thread at a time.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "agent/agent_client.h"
#include "agent/wire/tunnel.h"

namespace dpcap {

// What a mirror is asked for; the counts of the head are filled in from the rest.
struct MirrorOrder {
  dpcap_mirror_order head;
  std::vector<uint8_t> program;  // of received packets; empty for all
  std::vector<uint8_t> program_tx;
  std::string filter;  // text, for people
  std::optional<dpcap_mirror_tunnel> tunnel;
};

// Throws ERR_MIRROR_REFUSED, ERR_MIRROR_UNSAFE when the application sends on the target's queue, or could not bear
// shared mbufs, ERR_PORT_GONE, ERR_QUEUE_RANGE, ERR_PORT_UNSUITABLE when the target is stopped, or its packets are
// shorter than those of the tunnel, ERR_NO_MEMORY, ERR_VERSION_MISMATCH when the agent has no mirrors, or none into
// tunnels, and as AgentClient.
dpcap_mirror_report mirror_set(AgentClient& client, MirrorOrder order);
// Nothing when there is no such mirror; of a tunnel, what all mirrors have in common. Throws ERR_MIRROR_REFUSED when it
// has another owner, and as AgentClient.
std::optional<dpcap_mirror_report> mirror_renew(AgentClient& client, const dpcap_mirror_name& name);
// Nothing when there was no such mirror. Throws ERR_DISABLE_FAILED while a thread of the application does not leave it.
std::optional<dpcap_mirror_report> mirror_clear(AgentClient& client, uint32_t id);
// Nothing from an agent without mirrors.
std::vector<dpcap_mirror_report> mirror_list(AgentClient& client);

}  // namespace dpcap
