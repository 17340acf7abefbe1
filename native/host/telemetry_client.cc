#include "host/telemetry_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "base/error.h"
#include "base/fd.h"
#include "base/unix_address.h"

namespace dpcap {
namespace {

// DPDK answers with at most 16 KiB; anything near this is not telemetry.
constexpr ssize_t kAnswerMax = 1 << 20;

// One client of a telemetry socket, with one deadline for all it does.
class TelemetryClient {
 public:
  TelemetryClient(const std::string& path, int timeout_ms)
      : path_(path),
        deadline_(std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms)),
        fd_(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
    if (fd_.get() < 0) throw system_error("cannot make a socket for", errno, path_);
    const sockaddr_un address = unix_address(path_, "cannot connect to");
    // A full backlog blocks connect(); the send timeout bounds that wait too (unix(7)).
    set_send_timeout();
    if (connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      throw system_error("cannot connect to", errno == EAGAIN || errno == EINPROGRESS ? ETIMEDOUT : errno, path_);
    }
  }

  void send_command(const std::string& command) {
    set_send_timeout();
    ssize_t sent = send(fd_.get(), command.data(), command.size(), MSG_NOSIGNAL);
    if (sent < 0) throw system_error("cannot send " + command + " to", errno == EAGAIN ? ETIMEDOUT : errno, path_);
  }

  std::string receive() {
    wait_readable();
    // MSG_TRUNC gives the real length of the waiting message, whatever the length of the buffer.
    ssize_t length = recv(fd_.get(), nullptr, 0, MSG_PEEK | MSG_TRUNC);
    if (length < 0) throw system_error("cannot read from", errno, path_);
    if (length == 0) throw system_error("no answer, the connection was closed by", ECONNRESET, path_);
    if (length > kAnswerMax) throw system_error("answer too long from", EMSGSIZE, path_);
    std::string answer(static_cast<size_t>(length), '\0');
    ssize_t got = recv(fd_.get(), &answer[0], answer.size(), MSG_DONTWAIT);
    if (got < 0) throw system_error("cannot read from", errno, path_);
    answer.resize(static_cast<size_t>(got));
    while (!answer.empty() && answer.back() == '\0') answer.pop_back();
    return answer;
  }

 private:
  int remaining_ms() const {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
    return static_cast<int>(std::max<int64_t>(0, left.count()));
  }

  void set_send_timeout() {
    int ms = std::max(1, remaining_ms());  // 0 would mean: wait for ever
    timeval limit{ms / 1000, (ms % 1000) * 1000};
    setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  }

  void wait_readable() {
    for (;;) {
      pollfd waiting{fd_.get(), POLLIN, 0};
      int ready = poll(&waiting, 1, remaining_ms());
      if (ready > 0) return;
      if (ready == 0) throw system_error("no answer from", ETIMEDOUT, path_);
      if (errno != EINTR) throw system_error("cannot wait for", errno, path_);
    }
  }

  const std::string path_;
  const std::chrono::steady_clock::time_point deadline_;
  const Descriptor fd_;
};

}  // namespace

std::vector<std::string> telemetry(const std::string& path, const std::vector<std::string>& commands, int timeout_ms) {
  TelemetryClient client(path, timeout_ms);
  client.receive();  // the greeting; /info says the same
  std::vector<std::string> answers;
  for (const std::string& command : commands) {
    client.send_command(command);
    answers.push_back(client.receive());
  }
  return answers;
}

}  // namespace dpcap
