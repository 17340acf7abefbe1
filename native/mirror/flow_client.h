// Asks the agent inside an application for mirrors in hardware. One thread at a time.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "agent/agent_client.h"
#include "agent/wire/flow.h"

namespace dpcap {

// What a mirror is asked for; the counts of the head are filled in from the rest.
struct FlowOrder {
  dpcap_flow_order head;
  std::vector<dpcap_flow_match> matches;
  std::string text;  // for people
};

// Throws ERR_MIRROR_REFUSED with what the driver says, ERR_PORT_GONE, ERR_PORT_UNSUITABLE when a port is not started,
// ERR_NO_MEMORY, ERR_VERSION_MISMATCH when the agent has no mirrors in hardware, and as AgentClient.
dpcap_flow_status flow_set(AgentClient& client, FlowOrder order);
// Nothing when there is no such mirror. Throws ERR_MIRROR_REFUSED when it has another owner, and as AgentClient.
std::optional<dpcap_flow_status> flow_renew(AgentClient& client, const dpcap_mirror_name& name);
// Nothing when there was no such mirror. Throws ERR_DISABLE_FAILED when the driver does not take a rule away.
std::optional<dpcap_flow_status> flow_clear(AgentClient& client, uint32_t id);
// Nothing from an agent without mirrors in hardware.
std::vector<dpcap_flow_status> flow_list(AgentClient& client);
// Throws ERR_PORT_UNSUITABLE when the port's driver has no such function, ERR_MIRROR_REFUSED when it does not do it,
// ERR_PORT_GONE, ERR_VERSION_MISMATCH, and as AgentClient.
void tx_loopback(AgentClient& client, const dpcap_tx_loopback& order);

}  // namespace dpcap
