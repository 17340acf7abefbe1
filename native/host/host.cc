#include "host/host.h"

#include <fcntl.h>
#include <poll.h>
#include <rte_config.h>
#include <rte_mempool.h>
#include <rte_memzone.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/fd.h"
#include "base/error.h"

namespace dpcap {
namespace {

// DPDK answers with at most 16 KiB; anything near this is not telemetry.
constexpr ssize_t kAnswerMax = 1 << 20;

[[noreturn]] void fail(const std::string& what, int err, const std::string& path) {
  throw Error("ERR_SYSTEM", what + " " + path + ": " + strerror(err), err, path);
}

// One client of a telemetry socket, with one deadline for all it does.
class TelemetryClient {
 public:
  TelemetryClient(const std::string& path, int timeout_ms)
      : path_(path),
        deadline_(std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms)),
        fd_(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
    if (fd_.get() < 0) fail("cannot make a socket for", errno, path_);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) fail("cannot connect to", ENAMETOOLONG, path_);
    memcpy(address.sun_path, path.c_str(), path.size() + 1);
    // A full backlog blocks connect(); the send timeout bounds that wait too (unix(7)).
    set_send_timeout();
    if (connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      fail("cannot connect to", errno == EAGAIN || errno == EINPROGRESS ? ETIMEDOUT : errno, path_);
    }
  }

  void send_command(const std::string& command) {
    set_send_timeout();
    ssize_t sent = send(fd_.get(), command.data(), command.size(), MSG_NOSIGNAL);
    if (sent < 0) fail("cannot send " + command + " to", errno == EAGAIN ? ETIMEDOUT : errno, path_);
  }

  std::string receive() {
    wait_readable();
    // MSG_TRUNC gives the real length of the waiting message whatever the buffer's.
    ssize_t length = recv(fd_.get(), nullptr, 0, MSG_PEEK | MSG_TRUNC);
    if (length < 0) fail("cannot read from", errno, path_);
    if (length == 0) fail("no answer, the connection was closed by", ECONNRESET, path_);
    if (length > kAnswerMax) fail("answer too long from", EMSGSIZE, path_);
    std::string answer(static_cast<size_t>(length), '\0');
    ssize_t got = recv(fd_.get(), &answer[0], answer.size(), MSG_DONTWAIT);
    if (got < 0) fail("cannot read from", errno, path_);
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
      if (ready == 0) fail("no answer from", ETIMEDOUT, path_);
      if (errno != EINTR) fail("cannot wait for", errno, path_);
    }
  }

  const std::string path_;
  const std::chrono::steady_clock::time_point deadline_;
  const Descriptor fd_;
};

}  // namespace

LockHolder lock_holder(const std::string& path) {
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) fail("cannot open", errno, path);
  struct flock query {};
  query.l_type = F_WRLCK;
  query.l_whence = SEEK_SET;
  if (fcntl(fd.get(), F_GETLK, &query) != 0) fail("cannot query the lock on", errno, path);
  bool locked = query.l_type == F_WRLCK;
  return {locked, locked ? std::max(0, static_cast<int>(query.l_pid)) : 0};
}

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

// `struct`: a variable of DPDK has the name of the type.
OpsLayout ops_layout() {
  return {sizeof(struct rte_mempool_ops_table),
          offsetof(struct rte_mempool_ops_table, num_ops),
          offsetof(struct rte_mempool_ops_table, ops),
          sizeof(rte_mempool_ops),
          RTE_MEMPOOL_OPS_NAMESIZE,
          RTE_MEMPOOL_MAX_OPS_IDX};
}

MemzoneLayout memzone_layout() { return {sizeof(rte_memzone), RTE_MEMZONE_NAMESIZE}; }

}  // namespace dpcap
