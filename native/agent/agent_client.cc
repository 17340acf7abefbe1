#include "agent/agent_client.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/now.h"
#include "base/unix_address.h"

namespace dpcap {
namespace {

constexpr size_t kMostDescriptors = 2;

void check_peer(const Descriptor& fd, const std::string& path) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && is_trusted_agent(peer.uid, geteuid())) return;
  throw Error("ERR_PERMISSION", "the agent at " + path + " is another user's (" + std::to_string(peer.uid) + ")", EPERM,
              path);
}

Descriptor make_socket(const std::string& path) {
  Descriptor fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) throw system_error("cannot make a socket for", errno, path);
  const sockaddr_un address = unix_address(path, "cannot connect to");
  const timeval limit{1, 0};  // a full backlog blocks connect()
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    check_peer(fd, path);
    return fd;
  }
  const bool is_forbidden = errno == EACCES || errno == EPERM;
  throw Error(is_forbidden ? "ERR_PERMISSION" : "ERR_PRIMARY_NOT_CAPTURABLE",
              "cannot reach the agent at " + path + ": " + strerror(errno), errno, path);
}

Error gone(const std::string& path) {
  return Error("ERR_PRIMARY_GONE", "the application, or its agent, has ended the connection", ECONNRESET, path);
}

}  // namespace

bool is_trusted_agent(uid_t peer, uid_t own) { return own == 0 || peer == 0 || peer == own; }

AgentClient::AgentClient(const std::string& path) : path_(path), fd_(make_socket(path)) {}

void AgentClient::end() { shutdown(fd_.get(), SHUT_RDWR); }

bool AgentClient::is_hung_up() const {
  pollfd looked{fd_.get(), POLLRDHUP, 0};
  return poll(&looked, 1, 0) > 0;
}

int32_t AgentClient::peer_pid() const {
  ucred peer{};
  socklen_t size = sizeof peer;
  return getsockopt(fd_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

AgentClient::Answer AgentClient::ask(dpcap_agent_operation operation, const std::vector<uint8_t>& body,
                                     int timeout_ms) {
  dpcap_agent_header header{};
  header.magic = DPCAP_AGENT_MAGIC;
  header.version = DPCAP_AGENT_VERSION;
  header.operation = static_cast<uint16_t>(operation);
  header.length = static_cast<uint32_t>(sizeof header + body.size());
  header.sequence = ++sequence_;
  if (header.length > DPCAP_AGENT_MAX_MESSAGE) {
    throw Error("ERR_FILTER_UNSUPPORTED", "the lanes and filters do not fit into a message to the agent", EMSGSIZE);
  }
  std::vector<uint8_t> message(header.length);
  memcpy(message.data(), &header, sizeof header);
  if (!body.empty()) memcpy(message.data() + sizeof header, body.data(), body.size());
  // An agent that refuses a client says so before it closes the connection: that can be read all the same.
  send(fd_.get(), message.data(), message.size(), MSG_NOSIGNAL);
  return receive(sequence_, timeout_ms);
}

bool AgentClient::wait(int timeout_ms) const {
  pollfd waiting{fd_.get(), POLLIN, 0};
  int ready;
  do ready = poll(&waiting, 1, timeout_ms);
  while (ready < 0 && errno == EINTR);
  return ready > 0;
}

// The answer to a request that was given up on may come while one to another is waited for.
AgentClient::Answer AgentClient::receive(uint32_t sequence, int timeout_ms) {
  const uint64_t until_ns = now_ns(CLOCK_MONOTONIC) + static_cast<uint64_t>(timeout_ms) * 1'000'000;
  for (;;) {
    const uint64_t now = now_ns(CLOCK_MONOTONIC);
    dpcap_agent_header header;
    Answer answer = receive_any(until_ns > now ? static_cast<int>((until_ns - now) / 1'000'000) : 0, &header);
    if (header.sequence == sequence) return answer;
    if (header.sequence == 0 && answer.err == EUSERS) {
      throw Error("ERR_CAPTURE_BUSY", "the agent has as many clients as it serves", EUSERS, path_);
    }
    if (header.sequence == 0 && answer.err == EACCES) {
      throw Error("ERR_PERMISSION", "the agent serves the application's user and root alone", EACCES, path_);
    }
    if (header.sequence == 0 || header.sequence > sequence) throw gone(path_);
  }
}

AgentClient::Answer AgentClient::receive_any(int timeout_ms, dpcap_agent_header* header) {
  std::vector<uint8_t> message(DPCAP_AGENT_MAX_MESSAGE);
  alignas(cmsghdr) char control[CMSG_SPACE(kMostDescriptors * sizeof(int))];
  iovec part{message.data(), message.size()};
  msghdr received{};
  received.msg_iov = &part;
  received.msg_iovlen = 1;
  received.msg_control = control;
  received.msg_controllen = sizeof control;
  if (!wait(timeout_ms)) throw Error("ERR_PRIMARY_TIMEOUT", "the agent does not answer", ETIMEDOUT, path_);
  ssize_t size = recvmsg(fd_.get(), &received, MSG_CMSG_CLOEXEC);
  // This comes first, once, when it closed the connection before it had read everything (unix_release_sock in Linux).
  if (size < 0 && errno == ECONNRESET) size = recvmsg(fd_.get(), &received, MSG_CMSG_CLOEXEC);
  if (size <= 0) throw gone(path_);
  Answer answer{0, {}, {}};
  for (cmsghdr* one = CMSG_FIRSTHDR(&received); one != nullptr; one = CMSG_NXTHDR(&received, one)) {
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS) continue;
    int fds[kMostDescriptors];
    const size_t count = (one->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fds, CMSG_DATA(one), count * sizeof(int));
    for (size_t i = 0; i < count; i++) answer.descriptors.emplace_back(fds[i]);
  }
  memcpy(header, message.data(), std::min(sizeof *header, static_cast<size_t>(size)));
  if (static_cast<size_t>(size) < sizeof *header || header->magic != DPCAP_AGENT_MAGIC ||
      header->version != DPCAP_AGENT_VERSION) {
    throw Error("ERR_VERSION_MISMATCH", "the agent speaks another version of the protocol than this dpcap", EPROTO,
                path_);
  }
  answer.err = header->error;
  answer.body.assign(message.begin() + sizeof *header, message.begin() + size);
  return answer;
}

AgentHello ask_hello(AgentClient& client, int timeout_ms) {
  const AgentClient::Answer answer = client.ask(DPCAP_AGENT_HELLO, {}, timeout_ms);
  AgentHello hello{};
  hello.peer_pid = client.peer_pid();
  const size_t room = answer.body.size();
  if (room >= sizeof hello.process) memcpy(&hello.process, answer.body.data(), sizeof hello.process);
  if (room < sizeof hello.process ||
      (room - sizeof hello.process) / sizeof(dpcap_agent_port) < hello.process.port_count) {
    throw Error("ERR_VERSION_MISMATCH", "the agent's answer is shorter than it says", EPROTO);
  }
  hello.ports.resize(hello.process.port_count);
  if (!hello.ports.empty()) {
    memcpy(hello.ports.data(), answer.body.data() + sizeof hello.process,
           hello.ports.size() * sizeof(dpcap_agent_port));
  }
  return hello;
}

std::vector<dpcap_agent_status> ask_status(AgentClient& client, int timeout_ms) {
  const AgentClient::Answer answer = client.ask(DPCAP_AGENT_STATUS, {}, timeout_ms);
  std::vector<dpcap_agent_status> captures(answer.body.size() / sizeof(dpcap_agent_status));
  if (!captures.empty()) memcpy(captures.data(), answer.body.data(), captures.size() * sizeof captures[0]);
  return captures;
}

}  // namespace dpcap
