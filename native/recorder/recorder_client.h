// What is asked of the recorder inside an application. One thread at a time.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/agent_client.h"
#include "base/fd.h"

namespace dpcap {

struct RecorderOrder {
  uint64_t memory;
  uint32_t snaplen;
  bool rx;
  bool tx;
  std::vector<std::string> devices;  // empty: all of them
  std::vector<uint8_t> program;      // as AgentOrder's
  std::vector<uint8_t> program_tx;
  std::string filter;  // what the user typed
};

struct RecorderState {
  uint32_t lanes;
  std::string path;  // of the box, as the application sees it
  Descriptor box;
};

// Throw as AgentClient::ask(), and ERR_NO_MEMORY, ERR_CAPTURE_BUSY, ERR_PERMISSION, ERR_RECORDER_FILE,
// ERR_VERSION_MISMATCH when the agent has no recorder in it, with the agent's errno.
void recorder_on(AgentClient& client, const RecorderOrder& order);
// Returns whether there was one.
bool recorder_off(AgentClient& client);
// Nothing when no recorder is on.
std::optional<RecorderState> recorder_state(AgentClient& client);

}  // namespace dpcap
