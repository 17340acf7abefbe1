// TAP interfaces: a kernel interface whose wire is a file descriptor of ours.
#pragma once
#include <cstdint>
#include <string>

namespace dpcap {

struct TapOptions {
  std::string name;   // at most 15 characters, free in the namespace
  std::string netns;  // name under /var/run/netns, empty: where we are
  uint32_t mtu;
};

// Creates an inert interface and shows it up: no address, NOARP, IPv6 off, promiscuous. It goes when the returned
// descriptor is closed, however its process ends. Throws ERR_SINK_OPEN.
int create_tap(const TapOptions& options);

}  // namespace dpcap
