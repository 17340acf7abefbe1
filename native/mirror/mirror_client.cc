#include "mirror/mirror_client.h"

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace dpcap {
namespace {

// The target's queue is watched for a moment, and a pool is made.
constexpr int kSetMs = 10'000;
constexpr int kAnswerMs = 5000;
// Each answer to a request to clear comes within 50 ms.
constexpr int kClearTries = 100;
constexpr size_t kInstruction = 8;

Error refusal(int err) {
  switch (err) {
    case ENOSYS:
      return Error("ERR_VERSION_MISMATCH",
                   "the agent cannot mirror in that process: it is of an earlier dpcap, or in a secondary process",
                   err);
    case ENODEV:
      return Error("ERR_PORT_GONE", "a port is not there any more, or has no queues", err);
    case ERANGE:
      return Error("ERR_QUEUE_RANGE", "the target has no such transmit queue", err);
    case EMSGSIZE:
      return Error("ERR_PORT_UNSUITABLE", "the port does not send packets as long as those of the tunnel", err);
    case EADDRINUSE:
      return Error("ERR_MIRROR_REFUSED", "another mirror sends into that tunnel: a collector could not tell them apart",
                   err);
    case ENETDOWN:
      return Error("ERR_PORT_UNSUITABLE", "the target is stopped", err);
    case EBUSY:
      return Error("ERR_MIRROR_UNSAFE", "the application sends on that transmit queue of the target", err);
    case EOPNOTSUPP:
      return Error(
          "ERR_MIRROR_UNSAFE",
          "a port frees mbufs without a look at their references (MBUF_FAST_FREE): shared ones would be used twice",
          err);
    case EEXIST:
      return Error("ERR_MIRROR_REFUSED", "these packets are mirrored to that port already", err);
    case EUSERS:
      return Error("ERR_MIRROR_REFUSED", "the application has as many mirrors as it can have", err);
    case EPERM:
      return Error("ERR_MIRROR_REFUSED", "the mirror has another owner", err);
    case ENOMEM:
      return Error("ERR_NO_MEMORY", "the application's DPDK has no memory for the copies", err);
    default:
      return Error("ERR_MIRROR_REFUSED", std::string("the agent does not mirror: ") + strerror(err), err);
  }
}

template <typename T>
void append(std::vector<uint8_t>& to, const T* values, size_t count) {
  const auto* const bytes = reinterpret_cast<const uint8_t*>(values);
  to.insert(to.end(), bytes, bytes + count * sizeof(T));
}

constexpr size_t kStatus = sizeof(dpcap_mirror_status), kReport = sizeof(dpcap_mirror_report);

// What an agent says may be read as text: each of its texts ends. `size` bytes are there: what all mirrors have in
// common, or all.
dpcap_mirror_report to_report(const uint8_t* bytes, size_t size) {
  dpcap_mirror_report report{};
  memcpy(&report, bytes, size);
  dpcap_mirror_status& status = report.mirror;
  status.source_device[sizeof status.source_device - 1] = 0;
  status.target_device[sizeof status.target_device - 1] = 0;
  status.filter[sizeof status.filter - 1] = 0;
  if (size == kStatus) status.flags &= ~uint32_t{DPCAP_MIRROR_TUNNEL};  // its tunnel is not told of
  return report;
}

dpcap_mirror_report only_report(const AgentClient::Answer& answer, size_t size) {
  if (answer.err != 0) throw refusal(answer.err);
  if (answer.body.size() != size)
    throw Error("ERR_VERSION_MISMATCH", "the agent's answer about a mirror is not as it should be", EPROTO);
  return to_report(answer.body.data(), size);
}

std::vector<uint8_t> to_message(const dpcap_mirror_name& name) {
  std::vector<uint8_t> message;
  append(message, &name, 1);
  return message;
}

// As often as a thread of the application is found inside.
AgentClient::Answer ask_to_clear(AgentClient& client, dpcap_agent_operation operation, uint32_t id) {
  dpcap_mirror_name name{};
  name.id = id;
  AgentClient::Answer answer{EBUSY, {}, {}};
  for (int tries = 0; tries < kClearTries && answer.err == EBUSY; tries++)
    answer = client.ask(operation, to_message(name), kAnswerMs);
  return answer;
}

}  // namespace

dpcap_mirror_report mirror_set(AgentClient& client, MirrorOrder order) {
  order.head.rx_instructions = static_cast<uint32_t>(order.program.size() / kInstruction);
  order.head.tx_instructions = static_cast<uint32_t>(order.program_tx.size() / kInstruction);
  order.head.filter_bytes = static_cast<uint32_t>(order.filter.size());
  std::vector<uint8_t> message;
  append(message, &order.head, 1);
  if (order.tunnel) append(message, &*order.tunnel, 1);
  append(message, order.program.data(), order.program.size());
  append(message, order.program_tx.data(), order.program_tx.size());
  append(message, order.filter.data(), order.filter.size());
  if (order.tunnel) return only_report(client.ask(DPCAP_AGENT_MIRROR_SET_TUNNEL, message, kSetMs), kReport);
  return only_report(client.ask(DPCAP_AGENT_MIRROR_SET, message, kSetMs), kStatus);
}

std::optional<dpcap_mirror_report> mirror_renew(AgentClient& client, const dpcap_mirror_name& name) {
  const AgentClient::Answer answer = client.ask(DPCAP_AGENT_MIRROR_RENEW, to_message(name), kAnswerMs);
  if (answer.err == ENOENT || answer.err == ENOSYS) return std::nullopt;
  return only_report(answer, kStatus);
}

std::optional<dpcap_mirror_report> mirror_clear(AgentClient& client, uint32_t id) {
  AgentClient::Answer answer = ask_to_clear(client, DPCAP_AGENT_MIRROR_END, id);
  const bool is_older = answer.err == ENOSYS;  // an agent of before there were tunnels
  if (is_older) answer = ask_to_clear(client, DPCAP_AGENT_MIRROR_CLEAR, id);
  if (answer.err == EBUSY) {
    throw Error("ERR_DISABLE_FAILED", "a thread of the application does not leave the mirror: it ends when that does",
                answer.err);
  }
  if (answer.err == ENOENT || answer.err == ENOSYS) return std::nullopt;
  return only_report(answer, is_older ? kStatus : kReport);
}

std::vector<dpcap_mirror_report> mirror_list(AgentClient& client) {
  AgentClient::Answer answer = client.ask(DPCAP_AGENT_MIRROR_REPORT, {}, kAnswerMs);
  const bool is_older = answer.err == ENOSYS;  // an agent of before there were tunnels
  if (is_older) answer = client.ask(DPCAP_AGENT_MIRROR_LIST, {}, kAnswerMs);
  const size_t size = is_older ? kStatus : kReport;
  std::vector<dpcap_mirror_report> mirrors;
  if (answer.err == ENOSYS) return mirrors;
  if (answer.err != 0) throw refusal(answer.err);
  for (size_t at = 0; at + size <= answer.body.size(); at += size)
    mirrors.push_back(to_report(answer.body.data() + at, size));
  return mirrors;
}

}  // namespace dpcap
