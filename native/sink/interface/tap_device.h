// TAP interfaces: a kernel interface whose wire is a file descriptor of ours.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace dpcap {

struct TapOptions {
  std::string name;   // at most 15 characters, free in the namespace
  std::string netns;  // name under /var/run/netns, empty: where we are
  uint32_t mtu;
  uint32_t queues;  // 1: a plain interface
};

// Creates an inert interface and shows it up: no address, NOARP, IPv6 off, promiscuous. Returns a descriptor for each
// queue; it goes when the last one is closed, however its process ends. Throws ERR_SINK_OPEN, whose subject is what
// there is no way around: the interface, the namespace or "/dev/net/tun".
std::vector<int> create_tap(const TapOptions& options);

}  // namespace dpcap
