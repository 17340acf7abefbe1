// TAP interfaces: kernel interfaces whose wire is a file descriptor of this process. Any thread.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace dpcap {

struct TapOptions {
  std::string name;   // at most 15 characters, free in the namespace
  std::string netns;  // name under /var/run/netns, empty: the current namespace
  uint32_t mtu;
  uint32_t queues;  // 1: a plain interface
};

// Creates an inert interface and brings it up: no address, NOARP, IPv6 off, promiscuous. Returns a descriptor for each
// queue. The interface goes when the last descriptor is closed, however its process ends. Throws ERR_SINK_OPEN, whose
// subject is the obstacle: the interface, the namespace or "/dev/net/tun".
std::vector<int> create_tap(const TapOptions& options);
// Brings an interface of this network namespace, which somebody else has made, up as one of create_tap()'s is. Throws
// ERR_SINK_OPEN.
void set_up_interface(const std::string& name, uint32_t mtu);

}  // namespace dpcap
