// A connection to the agent inside an application: one request, one answer. One thread at a time; end() any thread.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "agent/protocol.h"
#include "base/fd.h"

namespace dpcap {

// Whether a user may be told what to capture, and believed what he says: anybody can make a socket where all may make
// directories. Root captures from everybody's applications.
bool is_trusted_agent(uid_t peer, uid_t own);

class AgentClient {
 public:
  // Throws ERR_PRIMARY_NOT_CAPTURABLE when nobody listens at that path, and ERR_PERMISSION, also for another user's.
  explicit AgentClient(const std::string& path);

  struct Answer {
    int err;  // an errno of the agent's
    std::vector<uint8_t> body;
    std::vector<Descriptor> descriptors;
  };
  // Throws ERR_PRIMARY_TIMEOUT, ERR_PRIMARY_GONE when the connection has ended, ERR_VERSION_MISMATCH when the agent
  // speaks another version of the protocol.
  Answer ask(dpcap_agent_operation operation, const std::vector<uint8_t>& body, int timeout_ms);
  // The process that listens, by the kernel's word; 0 when it is not seen from this PID namespace.
  int32_t peer_pid() const;
  // Ends the session, and every wait for an answer.
  void end();
  // Whether the other side has ended it. Any thread.
  bool is_hung_up() const;

 private:
  Answer receive(uint32_t sequence, int timeout_ms);
  Answer receive_any(int timeout_ms, dpcap_agent_header* header);
  bool wait(int timeout_ms) const;

  const std::string path_;
  const Descriptor fd_;
  uint32_t sequence_ = 0;
};

// What the agent tells of its process.
struct AgentHello {
  int32_t peer_pid;  // by the kernel's word, in this PID namespace; 0 when it is not seen from here
  dpcap_agent_hello process;
  std::vector<dpcap_agent_port> ports;
};
AgentHello ask_hello(AgentClient& client, int timeout_ms);
// The captures that it has.
std::vector<dpcap_agent_status> ask_status(AgentClient& client, int timeout_ms);

}  // namespace dpcap
