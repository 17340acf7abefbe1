#include "mirror/kernel_port_client.h"

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/error.h"

namespace dpcap {
namespace {

// A device is added, which takes a driver some milliseconds, and longer where other processes have to follow.
constexpr int kAddMs = 20'000;
constexpr const char* kVhostNet = "/dev/vhost-net";

Error refused(const AgentClient::Answer& answer, const std::string& interface) {
  dpcap_kernel_port_refusal refusal;
  memcpy(&refusal, answer.body.data(), sizeof refusal);
  switch (refusal.step) {
    case DPCAP_KERNEL_PORT_LOOK:
      return Error("ERR_SINK_OPEN", std::string("the application cannot open ") + kVhostNet, answer.err, kVhostNet);
    case DPCAP_KERNEL_PORT_PLUG:
      return Error("ERR_SINK_OPEN", "the application's DPDK does not make the virtio-user device", answer.err,
                   interface);
    default:
      return Error("ERR_SINK_OPEN", "the application's DPDK does not set the virtio-user port up", answer.err,
                   interface);
  }
}

Error refusal_of(int err, const std::string& interface) {
  switch (err) {
    case ENOSYS:
      return Error("ERR_VERSION_MISMATCH",
                   "the agent cannot add a port to that process: it is of an earlier dpcap, in a secondary process, or "
                   "the application's DPDK adds no devices",
                   err);
    case EINVAL:
      return Error("ERR_SINK_OPEN", "the agent does not take this name of an interface", err, interface);
    case EUSERS:
      return Error("ERR_MIRROR_REFUSED", "the application has as many ports of dpcap's as it can have", err);
    default:
      return Error("ERR_MIRROR_REFUSED", std::string("the agent does not add a port: ") + strerror(err), err);
  }
}

}  // namespace

dpcap_kernel_port kernel_port_add(AgentClient& client, const std::string& interface) {
  dpcap_kernel_port_order order{};
  if (interface.size() >= sizeof order.interface) throw refusal_of(EINVAL, interface);
  memcpy(order.interface, interface.data(), interface.size());
  const auto* const bytes = reinterpret_cast<const uint8_t*>(&order);
  const std::vector<uint8_t> message(bytes, bytes + sizeof order);
  const AgentClient::Answer answer = client.ask(DPCAP_AGENT_KERNEL_PORT, message, kAddMs);
  if (answer.err != 0 && answer.body.size() == sizeof(dpcap_kernel_port_refusal)) throw refused(answer, interface);
  if (answer.err != 0) throw refusal_of(answer.err, interface);
  dpcap_kernel_port port;
  if (answer.body.size() != sizeof port)
    throw Error("ERR_VERSION_MISMATCH", "the agent's answer about a port is not as it should be", EPROTO);
  memcpy(&port, answer.body.data(), sizeof port);
  port.device[sizeof port.device - 1] = 0;
  return port;
}

}  // namespace dpcap
