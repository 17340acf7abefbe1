// Asks the agent inside an application for a port that ends in a kernel interface. One thread at a time.
#pragma once
#include <string>

#include "agent/agent_client.h"
#include "agent/wire/kernel_port.h"

namespace dpcap {

// Returns the port, which goes by itself when no mirror to it is left. Throws ERR_SINK_OPEN, with the path as its
// subject when the application cannot open /dev/vhost-net, and with the interface's name when DPDK does not make the
// port; ERR_MIRROR_REFUSED, ERR_VERSION_MISMATCH when the agent cannot make one, and as AgentClient.
dpcap_kernel_port kernel_port_add(AgentClient& client, const std::string& interface);

}  // namespace dpcap
