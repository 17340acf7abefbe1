// The agent's server, over its real socket: what a client may say, what it may not, and that others do not suffer from
// it.
extern "C" {
#include "agent/library/control/server.h"

#include "agent/library/control/address.h"
#include "agent/library/dpdk.h"
}

#include <rte_ethdev.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "agent/agent_client.h"
#include "agent/process.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/unix_address.h"
#include "tap.h"

using namespace dpcap;

namespace {

constexpr int kAnswerMs = 5000;
constexpr int kMessages = 20000;

std::string directory;

void fake_process() {
  dpdk.runtime_dir = [] { return directory.c_str(); };
  dpdk.version = [] { return "DPDK of a test"; };
  dpdk.process_type = [] { return RTE_PROC_PRIMARY; };
  dpdk.tsc_hz = [] { return uint64_t{2'000'000'000}; };
  dpdk.next_port = [](uint16_t) { return static_cast<uint16_t>(RTE_MAX_ETHPORTS); };
}

// A connection that sends what it likes.
class Rude {
 public:
  explicit Rude(const std::string& path) : fd_(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
    const sockaddr_un address = unix_address(path, "cannot connect to");
    CHECK_ALL(connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  bool send(const std::vector<uint8_t>& bytes) const {
    return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0;
  }
  // The error of the next answer; nothing when the server has closed the connection: -1.
  int answer() const {
    dpcap_agent_header header{};
    return recv(fd_.get(), &header, sizeof header, 0) < static_cast<ssize_t>(sizeof header) ? -1 : header.error;
  }

 private:
  const Descriptor fd_;
};

std::vector<uint8_t> message(uint16_t operation, size_t body = 0, uint16_t version = DPCAP_AGENT_VERSION) {
  const dpcap_agent_header header{
      DPCAP_AGENT_MAGIC, version, operation, static_cast<uint32_t>(sizeof header + body), 1, 0, 0};
  std::vector<uint8_t> bytes(sizeof header + body);
  memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

int answer_to(const std::string& path, const std::vector<uint8_t>& bytes) {
  const Rude client(path);
  client.send(bytes);
  return client.answer();
}

bool is_well(const std::string& path) {
  AgentClient client(path);
  return std::string(ask_hello(client, kAnswerMs).process.dpdk_version) == "DPDK of a test";
}

void test_words(const std::string& path) {
  CHECK(is_well(path));
  CHECK(answer_to(path, message(DPCAP_AGENT_HELLO)) == 0);
  CHECK(answer_to(path, message(DPCAP_AGENT_STATUS)) == 0);
  CHECK(answer_to(path, message(DPCAP_AGENT_STOP)) == 0);  // of nothing
  CHECK(answer_to(path, message(DPCAP_AGENT_OPEN)) == EINVAL);
  CHECK(answer_to(path, message(DPCAP_AGENT_FILTER, 8)) == EINVAL);
  CHECK(answer_to(path, message(DPCAP_AGENT_PREPARE)) == EINVAL);
  CHECK(answer_to(path, message(DPCAP_AGENT_RECORDER_ON)) == EINVAL);
  CHECK(answer_to(path, message(DPCAP_AGENT_RECORDER_OFF)) == ENOENT);
  CHECK(answer_to(path, message(DPCAP_AGENT_RECORDER_STATUS)) == ENOENT);
  CHECK(answer_to(path, message(DPCAP_AGENT_MIRROR_SET)) == EINVAL);
  CHECK(answer_to(path, message(DPCAP_AGENT_MIRROR_RENEW)) == EINVAL);
  CHECK(answer_to(path, message(DPCAP_AGENT_MIRROR_CLEAR)) == EINVAL);
  CHECK(answer_to(path, message(DPCAP_AGENT_MIRROR_LIST)) == 0);
  CHECK(answer_to(path, message(DPCAP_AGENT_FLOW_SET)) == EINVAL);
  CHECK(answer_to(path, message(DPCAP_AGENT_FLOW_RENEW)) == EINVAL);
  CHECK(answer_to(path, message(DPCAP_AGENT_FLOW_CLEAR)) == EINVAL);
  CHECK(answer_to(path, message(DPCAP_AGENT_FLOW_LIST)) == 0);
  CHECK(answer_to(path, message(DPCAP_AGENT_TX_LOOPBACK)) == EINVAL);
  CHECK(answer_to(path, message(DPCAP_AGENT_KERNEL_PORT)) == EINVAL);
  CHECK(answer_to(path, message(DPCAP_AGENT_MIRROR_SET_TUNNEL)) == EINVAL);
  CHECK(answer_to(path, message(DPCAP_AGENT_MIRROR_END)) == EINVAL);
  CHECK(answer_to(path, message(DPCAP_AGENT_MIRROR_REPORT)) == 0);
  CHECK(answer_to(path, message(99)) == ENOSYS);
  CHECK(answer_to(path, message(DPCAP_AGENT_HELLO, 0, DPCAP_AGENT_VERSION + 1)) == EPROTO);
  CHECK(answer_to(path, {1, 2, 3}) == EINVAL);
  CHECK(answer_to(path, message(DPCAP_AGENT_PREPARE, DPCAP_AGENT_MAX_MESSAGE)) == EINVAL);  // longer than any
  CHECK(is_well(path));
}

void test_fuzzed_messages(const std::string& path) {
  std::mt19937 random(23);
  std::deque<Rude> clients;
  for (int i = 0; i < kMessages; i++) {
    if (clients.size() < 4) clients.emplace_back(path);
    const uint32_t pick = random() % 18;  // all but those about flow rules
    std::vector<uint8_t> bytes = message(static_cast<uint16_t>(pick < 15 ? pick : pick + 4), random() % 400);
    for (size_t at = sizeof(dpcap_agent_header); at < bytes.size(); at++)
      bytes[at] = static_cast<uint8_t>(random() % 4);
    for (uint32_t flips = random() % 4; flips > 0; flips--) bytes[random() % bytes.size()] ^= 1u << random() % 8;
    if (random() % 8 == 0) bytes.resize(random() % bytes.size());
    // Every message has an answer, the last one of a connection as well.
    const bool goes_on = !bytes.empty() && clients.front().send(bytes) && clients.front().answer() >= 0;
    if (!goes_on || random() % 16 == 0) clients.pop_front();
  }
  CHECK(is_well(path));
}

void test_too_many(const std::string& path) {
  constexpr size_t kFarTooMany = 1000;
  std::deque<AgentClient> clients;
  std::string refused;
  while (refused.empty() && clients.size() < kFarTooMany) {
    try {
      ask_hello(clients.emplace_back(path), kAnswerMs);
    } catch (const Error& error) {
      refused = error.code();
      clients.pop_back();
    }
  }
  CHECK(refused == "ERR_CAPTURE_BUSY");
  CHECK(clients.size() > 2 * DPCAP_AGENT_MAX_SESSIONS);
  ask_hello(clients.back(), kAnswerMs);
}

// A process without a descriptor to spare serves those who are there, and the next one when it has one again.
void test_no_descriptors(const std::string& path) {
  AgentClient known(path);
  ask_hello(known, kAnswerMs);
  const Descriptor client(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  const int next = Descriptor(dup(client.get())).get();
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit none{static_cast<rlim_t>(next), limit.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  const sockaddr_un address = unix_address(path, "cannot connect to");
  CHECK(connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  for (int i = 0; i < 3; i++) ask_hello(known, kAnswerMs);
  setrlimit(RLIMIT_NOFILE, &limit);
  const std::vector<uint8_t> hello = message(DPCAP_AGENT_HELLO);
  dpcap_agent_header header{};
  CHECK(send(client.get(), hello.data(), hello.size(), MSG_NOSIGNAL) > 0);
  CHECK(recv(client.get(), &header, sizeof header, 0) == sizeof header && header.error == 0);
}

// The socket's mode keeps others out; they are refused all the same.
void test_other_user(const std::string& path) {
  if (geteuid() != 0) return;
  constexpr uid_t kNobody = 65534;
  chmod(directory.c_str(), 0711);
  chmod(path.c_str(), 0666);
  int refused = 0;
  std::thread([&] {
    syscall(SYS_setresuid, -1, kNobody, -1);  // of this thread alone
    refused = Rude(path).answer();
  }).join();
  chmod(path.c_str(), 0600);
  CHECK(refused == EACCES);
}

// A directory that another user has made is no place for the socket.
void test_other_directory() {
  if (geteuid() != 0) return;
  sockaddr_un address;
  CHECK_ALL(chown(directory.c_str(), 65534, 65534) == 0);
  CHECK(!address_find(&address));
  CHECK_ALL(chown(directory.c_str(), 0, 0) == 0);
  CHECK(address_find(&address));
}

void test_trust() {
  CHECK(is_trusted_agent(0, 1000) && is_trusted_agent(1000, 1000) && is_trusted_agent(1000, 0));
  CHECK(!is_trusted_agent(1001, 1000));
}

}  // namespace

void test_agent_server() {
  char made[] = "/tmp/dpcap-test-XXXXXX";
  directory = mkdtemp(made);
  fake_process();
  test_trust();
  test_other_directory();
  CHECK(server_open());
  std::thread(server_run).detach();  // it serves as long as its process lives
  const std::string path = directory + "/" DPCAP_AGENT_SOCKET + std::to_string(getpid());
  struct stat status;
  CHECK(stat(path.c_str(), &status) == 0 && (status.st_mode & 0777) == 0600);
  test_words(path);
  test_fuzzed_messages(path);
  test_too_many(path);
  test_other_user(path);
  test_no_descriptors(path);
  test_other_agent(directory);
  test_agent_process(path);
  test_last_packets(path);
  test_captures(path);
  test_grace(path);
  test_late_answer(directory);
  CHECK(is_well(path));  // and has ended that session
  server_close();
  CHECK(stat(path.c_str(), &status) != 0);
  rmdir(directory.c_str());
}
