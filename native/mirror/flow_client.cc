#include "mirror/flow_client.h"

#include <cerrno>
#include <cstring>
#include <iterator>

#include "base/error.h"

namespace dpcap {
namespace {

// A driver may ask its firmware for each rule.
constexpr int kSetMs = 10'000;
constexpr int kAnswerMs = 5000;

// What an rte_flow_error is about (enum rte_flow_error_type, the same numbers from 22.11 to 25.11).
const char* const kCauses[] = {"nothing in particular",
                               "a cause that it does not name",
                               "the rule as a whole",
                               "the group",
                               "the priority",
                               "the attribute ingress",
                               "the attribute egress",
                               "the attribute transfer",
                               "the attributes",
                               "the length of the pattern",
                               "the values of an item",
                               "the range of an item",
                               "the mask of an item",
                               "an item of the pattern",
                               "the number of actions",
                               "the settings of an action",
                               "an action",
                               "the state of the port"};

std::string verdict(const dpcap_flow_refusal& refusal) {
  const std::string rule = "rule " + std::to_string(refusal.rule + 1);
  switch (refusal.step) {
    case DPCAP_FLOW_PICK_PROXY:
      return "the driver names no port for rules of the embedded switch";
    case DPCAP_FLOW_CREATE:
      return "the driver has found " + rule + " right, and does not make it";
    case DPCAP_FLOW_DESTROY:
      return "the driver does not take " + rule + " away";
    default:
      return "the driver does not take " + rule;
  }
}

Error refused_by_driver(int err, dpcap_flow_refusal refusal) {
  refusal.message[sizeof refusal.message - 1] = 0;
  const std::string words = refusal.message[0] != 0 ? refusal.message : strerror(err);
  const char* const cause = refusal.type < std::size(kCauses) ? kCauses[refusal.type] : "a cause that is new";
  const char* const code = refusal.step == DPCAP_FLOW_DESTROY ? "ERR_DISABLE_FAILED" : "ERR_MIRROR_REFUSED";
  return Error(code, verdict(refusal) + ": \"" + words + "\" (about " + cause + ")", err);
}

Error refusal_of(int err) {
  switch (err) {
    case ENOSYS:
      return Error("ERR_VERSION_MISMATCH",
                   "the agent cannot mirror in hardware in that process: it is of an earlier dpcap, in a secondary "
                   "process, or the application is linked without rte_flow",
                   err);
    case ENODEV:
      return Error("ERR_PORT_GONE", "a port is not there any more", err);
    case ENETDOWN:
      return Error("ERR_PORT_UNSUITABLE", "a port of the mirror's is stopped", err);
    case EOPNOTSUPP:
      return Error("ERR_PORT_UNSUITABLE", "it would not be seen when a port of the mirror's is stopped", err);
    case EUSERS:
      return Error("ERR_MIRROR_REFUSED", "the application has as many mirrors in hardware as it can have", err);
    case EPERM:
      return Error("ERR_MIRROR_REFUSED", "the mirror has another owner", err);
    case ENOMEM:
      return Error("ERR_NO_MEMORY", "the application has no memory for the mirror", err);
    default:
      return Error("ERR_MIRROR_REFUSED", std::string("the agent does not mirror: ") + strerror(err), err);
  }
}

Error refusal_of(const AgentClient::Answer& answer) {
  dpcap_flow_refusal refusal;
  if (answer.body.size() != sizeof refusal) return refusal_of(answer.err);
  memcpy(&refusal, answer.body.data(), sizeof refusal);
  return refused_by_driver(answer.err, refusal);
}

template <typename T>
void append(std::vector<uint8_t>& to, const T* values, size_t count) {
  const auto* const bytes = reinterpret_cast<const uint8_t*>(values);
  to.insert(to.end(), bytes, bytes + count * sizeof(T));
}

template <typename T>
std::vector<uint8_t> to_message(const T& body) {
  std::vector<uint8_t> message;
  append(message, &body, 1);
  return message;
}

template <size_t N>
void end_text(char (&text)[N]) {
  text[N - 1] = 0;
}

// What an agent says may be read as text: each of its texts ends.
dpcap_flow_status to_status(const uint8_t* bytes) {
  dpcap_flow_status status;
  memcpy(&status, bytes, sizeof status);
  end_text(status.fate.device);
  end_text(status.copy.device);
  end_text(status.through_device);
  end_text(status.source_device);
  end_text(status.text);
  return status;
}

dpcap_flow_status only_status(const AgentClient::Answer& answer) {
  if (answer.err != 0) throw refusal_of(answer);
  if (answer.body.size() != sizeof(dpcap_flow_status))
    throw Error("ERR_VERSION_MISMATCH", "the agent's answer about a mirror is not as it should be", EPROTO);
  return to_status(answer.body.data());
}

// Of an agent that knows no mirrors in hardware, which has said nothing of a driver's.
bool is_unknown(const AgentClient::Answer& answer) {
  return answer.body.empty() && (answer.err == ENOENT || answer.err == ENOSYS);
}

}  // namespace

dpcap_flow_status flow_set(AgentClient& client, FlowOrder order) {
  order.head.rule_count = static_cast<uint32_t>(order.matches.size());
  order.head.text_bytes = static_cast<uint32_t>(order.text.size());
  std::vector<uint8_t> message = to_message(order.head);
  append(message, order.matches.data(), order.matches.size());
  append(message, order.text.data(), order.text.size());
  return only_status(client.ask(DPCAP_AGENT_FLOW_SET, message, kSetMs));
}

std::optional<dpcap_flow_status> flow_renew(AgentClient& client, const dpcap_mirror_name& name) {
  const AgentClient::Answer answer = client.ask(DPCAP_AGENT_FLOW_RENEW, to_message(name), kAnswerMs);
  if (is_unknown(answer)) return std::nullopt;
  return only_status(answer);
}

std::optional<dpcap_flow_status> flow_clear(AgentClient& client, uint32_t id) {
  dpcap_mirror_name name{};
  name.id = id;
  const AgentClient::Answer answer = client.ask(DPCAP_AGENT_FLOW_CLEAR, to_message(name), kSetMs);
  if (is_unknown(answer)) return std::nullopt;
  return only_status(answer);
}

std::vector<dpcap_flow_status> flow_list(AgentClient& client) {
  const AgentClient::Answer answer = client.ask(DPCAP_AGENT_FLOW_LIST, {}, kAnswerMs);
  std::vector<dpcap_flow_status> mirrors;
  if (answer.err == ENOSYS) return mirrors;
  if (answer.err != 0) throw refusal_of(answer.err);
  for (size_t at = 0; at + sizeof(dpcap_flow_status) <= answer.body.size(); at += sizeof(dpcap_flow_status))
    mirrors.push_back(to_status(answer.body.data() + at));
  return mirrors;
}

void tx_loopback(AgentClient& client, const dpcap_tx_loopback& order) {
  const AgentClient::Answer answer = client.ask(DPCAP_AGENT_TX_LOOPBACK, to_message(order), kAnswerMs);
  switch (answer.err) {
    case 0:
      return;
    case EOPNOTSUPP:
      throw Error("ERR_PORT_UNSUITABLE", "the port's driver has no loopback of transmitted packets", answer.err);
    case ENOSYS:
      throw Error("ERR_VERSION_MISMATCH",
                  "no loopback in that process: its agent is of an earlier dpcap, or it lacks the driver's function",
                  answer.err);
    case ENODEV:
      throw Error("ERR_PORT_GONE", "the port is not there any more", answer.err);
    default:
      throw Error("ERR_MIRROR_REFUSED", std::string("the driver does not switch it: ") + strerror(answer.err),
                  answer.err);
  }
}

}  // namespace dpcap
