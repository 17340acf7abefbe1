#include "pdump/forwarding.h"

#include <poll.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/fd.h"
#include "base/unix_address.h"
#include "pdump/request.h"

namespace dpcap {
namespace {

constexpr char kAction[] = "mp_pdump";

// struct pdump_response of lib/pdump/rte_pdump.c, the same in 21.11 to 26.07.
struct Response {
  uint16_t ver;
  uint16_t res_op;
  int32_t err_value;
};

// struct mp_msg_internal of lib/eal/common/eal_common_proc.c, the same in 18.11 to 26.03.
struct Datagram {
  int type;
  rte_mp_msg msg;
};
constexpr int kRequest = 1;  // MP_REQ

// Runs on EAL's IPC thread.
int say_done(const rte_mp_msg* request, const void* peer) {
  rte_mp_msg reply{};
  Response response{};
  memcpy(&response.ver, request->param, sizeof response.ver);
  memcpy(&response.res_op, request->param + sizeof response.ver, sizeof response.res_op);
  memcpy(reply.param, &response, sizeof response);
  memcpy(reply.name, kAction, sizeof kAction);
  reply.len_param = sizeof response;
  return rte_mp_reply(&reply, static_cast<const char*>(peer));
}

// Another one for each question of this process.
std::string own_path() {
  static std::atomic<unsigned> asked{0};
  const std::string name = "/dpcap_ask_" + std::to_string(getpid()) + "_" + std::to_string(asked++);
  return rte_eal_get_runtime_dir() + name;
}

// A socket of this process in the primary's runtime directory, where secondaries send their answers. The primary passes
// nothing on to it, because its name is not that of a secondary's.
class OwnSocket {
 public:
  OwnSocket() : path_(own_path()), fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    const sockaddr_un address = unix_address(path_, "cannot use");
    unlink(path_.c_str());
    fchmod(fd_.get(), 0600);  // the file will have this mode (unix_bind in Linux)
    if (bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw system_error("cannot make the socket", errno, path_);
    }
  }
  ~OwnSocket() { unlink(path_.c_str()); }
  int get() const { return fd_.get(); }

 private:
  const std::string path_;
  const Descriptor fd_;
};

// Its version is one that no pdump knows.
Datagram question() {
  constexpr uint16_t kNoVersion = 0x7fff;
  Datagram datagram{};
  datagram.type = kRequest;
  memcpy(datagram.msg.name, kAction, sizeof kAction);
  memcpy(datagram.msg.param, &kNoVersion, sizeof kNoVersion);
  datagram.msg.len_param = kPdumpRequestBytes;
  return datagram;
}

}  // namespace

void answer_forwarded_requests() {
  if (rte_mp_action_register(kAction, say_done) == 0 || rte_errno == EEXIST) return;
  throw Error("ERR_PRIMARY_NOT_CAPTURABLE", "cannot take part in the primary's pdump", rte_errno);
}

bool answers_pdump(const std::string& socket_path, int timeout_ms) {
  const OwnSocket own;
  const sockaddr_un peer = unix_address(socket_path, "cannot use");
  const Datagram datagram = question();
  const size_t size = sizeof datagram - sizeof datagram.msg.fds;
  if (sendto(own.get(), &datagram, size, 0, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) < 0) return false;
  pollfd waiting{own.get(), POLLIN, 0};
  return poll(&waiting, 1, timeout_ms) > 0;
}

}  // namespace dpcap
