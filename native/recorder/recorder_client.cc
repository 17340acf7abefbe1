#include "recorder/recorder_client.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace dpcap {
namespace {

// Memory has to be made and touched.
constexpr int kOnMs = 60'000;
constexpr int kAnswerMs = 5000;
// Each answer to a request to stop comes within 50 ms.
constexpr int kOffTries = 100;
constexpr size_t kInstruction = 8;

Error refusal(int err) {
  switch (err) {
    case ENOMEM:
    case ENOSPC:
      return Error("ERR_NO_MEMORY", "the recorder's memory does not fit: half of what is free must stay free", err);
    case EALREADY:
      return Error("ERR_CAPTURE_BUSY", "the application has a recorder that is on", err);
    case EDQUOT:
      return Error("ERR_RECORDER_FILE", "too many boxes of dead processes are there", err);
    case EPERM:
      return Error("ERR_PERMISSION", "another user has made the folder that the recorder's box would be in", err);
    case ENOSYS:
      return Error("ERR_VERSION_MISMATCH", "the agent in the application has no recorder in it", err);
    default:
      return Error("ERR_ENABLE_FAILED", std::string("the agent cannot record: ") + strerror(err), err);
  }
}

template <typename T>
void append(std::vector<uint8_t>& to, const T* values, size_t count) {
  const auto* const bytes = reinterpret_cast<const uint8_t*>(values);
  to.insert(to.end(), bytes, bytes + count * sizeof(T));
}

std::vector<uint8_t> to_message(const RecorderOrder& order) {
  dpcap_agent_recorder_order head{};
  head.memory_bytes = order.memory;
  head.snaplen = order.snaplen;
  head.directions = (order.rx ? DPCAP_AGENT_RX : 0) | (order.tx ? DPCAP_AGENT_TX : 0);
  head.device_count = static_cast<uint32_t>(order.devices.size());
  head.rx_instructions = static_cast<uint32_t>(order.program.size() / kInstruction);
  head.tx_instructions = static_cast<uint32_t>(order.program_tx.size() / kInstruction);
  head.filter_bytes = static_cast<uint32_t>(order.filter.size());
  std::vector<uint8_t> message;
  append(message, &head, 1);
  for (const std::string& device : order.devices) {
    char name[DPCAP_AGENT_DEVICE_BYTES] = "";
    device.copy(name, sizeof name - 1);
    append(message, name, sizeof name);
  }
  append(message, order.program.data(), order.program.size());
  append(message, order.program_tx.data(), order.program_tx.size());
  append(message, order.filter.data(), order.filter.size());
  return message;
}

}  // namespace

void recorder_on(AgentClient& client, const RecorderOrder& order) {
  const int err = client.ask(DPCAP_AGENT_RECORDER_ON, to_message(order), kOnMs).err;
  if (err != 0) throw refusal(err);
}

bool recorder_off(AgentClient& client) {
  int err = EBUSY;
  for (int tries = 0; tries < kOffTries && err == EBUSY; tries++)
    err = client.ask(DPCAP_AGENT_RECORDER_OFF, {}, kAnswerMs).err;
  if (err == EBUSY) {
    throw Error("ERR_DISABLE_FAILED", "a thread of the application does not leave the recorder: its memory stays", err);
  }
  if (err != 0 && err != ENOENT && err != ENOSYS) throw refusal(err);
  return err == 0;
}

std::optional<RecorderState> recorder_state(AgentClient& client) {
  AgentClient::Answer answer = client.ask(DPCAP_AGENT_RECORDER_STATUS, {}, kAnswerMs);
  dpcap_agent_recorder told{};
  if (answer.err == ENOENT || answer.err == ENOSYS) return std::nullopt;
  if (answer.err != 0) throw refusal(answer.err);
  if (answer.body.size() != sizeof told || answer.descriptors.size() != 1)
    throw Error("ERR_VERSION_MISMATCH", "the agent's answer about its recorder is not as it should be", EPROTO);
  memcpy(&told, answer.body.data(), sizeof told);
  return RecorderState{told.lanes, std::string(told.path, strnlen(told.path, sizeof told.path)),
                       std::move(answer.descriptors[0])};
}

}  // namespace dpcap
