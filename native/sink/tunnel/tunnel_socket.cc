#include "sink/tunnel/tunnel_socket.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>

#include "base/error.h"
#include "base/fd.h"

namespace dpcap {
namespace {

constexpr int kSendBufferBytes = 4 << 20;
constexpr int kUdpChecksumAt = 6;

Error failed(const std::string& address, const std::string& step, int err) {
  return Error("ERR_SINK_OPEN", "cannot send to a collector: " + address + ": " + step, err, address);
}

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  int family() const { return storage.ss_family; }
  // getpeername() of a raw socket gives its peer only when that has a port, which means nothing else
  // (net/ipv4/af_inet.c of Linux 6.1, inet_getname).
  void give_port() {
    in_port_t& port = family() == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port
                                           : reinterpret_cast<sockaddr_in*>(&storage)->sin_port;
    port = htons(1);
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// Reads an address, never a name; a scope behind % is an interface's.
Address to_address(const std::string& text) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  hints.ai_socktype = SOCK_RAW;
  addrinfo* found = nullptr;
  if (getaddrinfo(text.c_str(), nullptr, &hints, &found) != 0) throw failed(text, "it is no address", EINVAL);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> freed(found, freeaddrinfo);
  Address address;
  address.size = found->ai_addrlen;
  memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  return address;
}

class Options {
 public:
  Options(int fd, const std::string& address) : fd_(fd), address_(address) {}

  void set(int level, int name, int value, const char* what) const {
    if (setsockopt(fd_, level, name, &value, sizeof value) != 0) throw failed(address_, what, errno);
  }

 private:
  const int fd_;
  const std::string& address_;
};

// IP_RECVERR: otherwise the kernel calls it a success when a queue of an interface has no room (ENOBUFS), and does not
// tell that a host cannot be reached.
void set_options(int fd, int family, const TunnelEnds& ends) {
  const Options options(fd, ends.destination);
  const int traffic_class = ends.dscp << 2;
  if (family == AF_INET) {
    options.set(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO, "never to fragment");
    options.set(IPPROTO_IP, IP_RECVERR, 1, "to hear of errors");
    options.set(IPPROTO_IP, IP_TTL, ends.ttl, "the TTL");
    options.set(IPPROTO_IP, IP_TOS, traffic_class, "the DSCP");
    return;
  }
  options.set(IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO, "never to fragment");
  options.set(IPPROTO_IPV6, IPV6_DONTFRAG, 1, "never to fragment");
  options.set(IPPROTO_IPV6, IPV6_RECVERR, 1, "to hear of errors");
  options.set(IPPROTO_IPV6, IPV6_UNICAST_HOPS, ends.ttl, "the hop limit");
  options.set(IPPROTO_IPV6, IPV6_TCLASS, traffic_class, "the DSCP");
  // A collector need not take UDP over IPv6 without a checksum.
  if (ends.kind == DPCAP_VXLAN) options.set(IPPROTO_IPV6, IPV6_CHECKSUM, kUdpChecksumAt, "checksums");
}

// A raw socket gets a copy of every packet of its protocol: none comes in, and of those that were there already none
// stays.
void receive_nothing(int fd, const std::string& address) {
  sock_filter refuse = {BPF_RET | BPF_K, 0, 0, 0};
  const sock_fprog filter = {1, &refuse};
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0) {
    throw failed(address, "to receive nothing", errno);
  }
  for (char byte; recv(fd, &byte, 1, MSG_DONTWAIT) >= 0;) {
  }
}

// More than the kernel's usual, which holds a hundred packets. Without the privilege for it there is less room.
void enlarge(int fd) {
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &kSendBufferBytes, sizeof kSendBufferBytes) == 0) return;
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof kSendBufferBytes);
}

void join_ends(int fd, const Address& destination, const TunnelEnds& ends) {
  if (!ends.source.empty()) {
    const Address source = to_address(ends.source);
    if (source.family() != destination.family()) throw failed(ends.source, "it is of another IP version", EAFNOSUPPORT);
    if (bind(fd, source.get(), source.size) != 0) throw failed(ends.source, "it cannot be the source", errno);
  }
  if (connect(fd, destination.get(), destination.size) != 0) {
    throw failed(ends.destination, "there is no way to it", errno);
  }
}

std::string text_of(const dpcap_outer& outer, const uint8_t* address) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(outer.is_ipv6 ? AF_INET6 : AF_INET, address, text, sizeof text);
  return text;
}

uint32_t agreed_mtu(int fd, const TunnelEnds& ends) {
  const uint32_t most = path_mtu(fd);
  if (ends.mtu == 0) return most == 0 ? kUsualMtu : std::min(most, kUsualMtu);
  if (most != 0 && ends.mtu > most) {
    throw failed(ends.destination, "packets on the way to it have " + std::to_string(most) + " bytes at most",
                 EMSGSIZE);
  }
  return ends.mtu;
}

void copy_end(int fd, int (*ask)(int, sockaddr*, socklen_t*), uint8_t* address, bool* is_ipv6) {
  Address end;
  end.size = sizeof end.storage;
  if (ask(fd, reinterpret_cast<sockaddr*>(&end.storage), &end.size) != 0) {
    throw system_error("cannot ask for the end of", errno, "a tunnel");
  }
  *is_ipv6 = end.family() == AF_INET6;
  if (*is_ipv6) {
    memcpy(address, &reinterpret_cast<const sockaddr_in6*>(end.get())->sin6_addr, 16);
  } else {
    memcpy(address, &reinterpret_cast<const sockaddr_in*>(end.get())->sin_addr, 4);
  }
}

// The errno of a message of the error queue; 0 when this host is its origin: then a send has told it.
int network_error(msghdr& message) {
  for (cmsghdr* one = CMSG_FIRSTHDR(&message); one != nullptr; one = CMSG_NXTHDR(&message, one)) {
    if (one->cmsg_type != IP_RECVERR && one->cmsg_type != IPV6_RECVERR) continue;
    sock_extended_err error;
    memcpy(&error, CMSG_DATA(one), sizeof error);
    if (error.ee_origin == SO_EE_ORIGIN_ICMP || error.ee_origin == SO_EE_ORIGIN_ICMP6) {
      return static_cast<int>(error.ee_errno);
    }
  }
  return 0;
}

}  // namespace

TunnelSocket open_tunnel_socket(const TunnelEnds& ends) {
  Address destination = to_address(ends.destination);
  destination.give_port();
  const int type = SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC;
  Descriptor packets(socket(destination.family(), type, dpcap_tunnel_protocol(ends.kind)));
  if (packets.get() < 0) throw failed(ends.destination, "a raw socket", errno);
  receive_nothing(packets.get(), ends.destination);
  set_options(packets.get(), destination.family(), ends);
  enlarge(packets.get());
  join_ends(packets.get(), destination, ends);
  const uint32_t mtu = agreed_mtu(packets.get(), ends);
  const dpcap_outer outer = outer_of(packets.get());
  return {packets.release(), text_of(outer, outer.source), mtu};
}

dpcap_outer outer_of(int fd) {
  dpcap_outer outer{};
  copy_end(fd, getsockname, outer.source, &outer.is_ipv6);
  copy_end(fd, getpeername, outer.destination, &outer.is_ipv6);
  return outer;
}

uint32_t path_mtu(int fd) {
  int mtu = 0;
  socklen_t size = sizeof mtu;
  if (getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &size) == 0) return static_cast<uint32_t>(mtu);
  size = sizeof mtu;
  return getsockopt(fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &size) == 0 ? static_cast<uint32_t>(mtu) : 0;
}

// Where there was no room for what the network said, the socket still has its errno.
NetworkErrors take_errors(int fd) {
  NetworkErrors errors{};
  alignas(cmsghdr) char control[512];
  msghdr message{};
  message.msg_control = control;
  for (;;) {
    message.msg_controllen = sizeof control;
    if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) break;
    const int err = network_error(message);
    if (err == 0) continue;
    errors.packets++;
    errors.last = err;
  }
  int pending = 0;
  socklen_t size = sizeof pending;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &pending, &size) == 0 && pending != 0 && errors.packets == 0) {
    errors.last = pending;
  }
  return errors;
}

}  // namespace dpcap
