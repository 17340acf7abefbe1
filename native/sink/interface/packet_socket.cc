#include "sink/interface/packet_socket.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/fd.h"

namespace dpcap {
namespace {

Error failed(const std::string& name, const std::string& step, int err) {
  return Error("ERR_SINK_OPEN", "cannot send to the interface " + name + ": " + step, err, name);
}

void bind_to(const Descriptor& socket, const std::string& name) {
  sockaddr_ll at{};
  at.sll_family = AF_PACKET;
  at.sll_protocol = 0;  // the protocol to receive: none
  at.sll_ifindex = static_cast<int>(if_nametoindex(name.c_str()));
  if (at.sll_ifindex == 0) throw failed(name, "there is none of that name", errno);
  if (bind(socket.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) throw failed(name, "bind", errno);
}

// The frames begin with an Ethernet header, which a tunnel would send as the beginning of something else.
void require_ethernet(const Descriptor& socket, const std::string& name) {
  sockaddr_ll at{};
  socklen_t size = sizeof at;
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&at), &size) != 0) throw failed(name, "its type", errno);
  if (at.sll_hatype != ARPHRD_ETHER && at.sll_hatype != ARPHRD_LOOPBACK) {
    throw failed(name, "it does not carry Ethernet frames", EPROTOTYPE);
  }
}

// Without a carrier the kernel takes each frame, drops it, and calls that a success.
void require_up(const Descriptor& socket, const std::string& name) {
  ifreq request{};
  strncpy(request.ifr_name, name.c_str(), sizeof request.ifr_name - 1);
  if (ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) throw failed(name, "reading its flags", errno);
  if (!(request.ifr_flags & IFF_UP)) throw failed(name, "it is down", ENETDOWN);
  if (!(request.ifr_flags & IFF_RUNNING)) throw failed(name, "it has no carrier", ENOLINK);
}

}  // namespace

bool is_interface(const std::string& name) {
  // The kernel takes eth0:1 for an alias of eth0.
  return name.find(':') == std::string::npos && if_nametoindex(name.c_str()) != 0;
}

// The socket does not bypass the kernel's queue of the interface: the queue holds a burst that the NIC cannot take at
// once, and a full socket is worth waiting for.
int open_packet_socket(const std::string& name) {
  Descriptor packets(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (packets.get() < 0) throw failed(name, "a packet socket", errno);
  bind_to(packets, name);
  require_ethernet(packets, name);
  require_up(packets, name);
  return packets.release();
}

}  // namespace dpcap
