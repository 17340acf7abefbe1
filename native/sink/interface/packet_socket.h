// Opens a socket that sends whole frames out of a kernel interface that exists already. Any thread.
#pragma once
#include <string>

namespace dpcap {

// Whether the current network namespace has an interface of this name.
bool is_interface(const std::string& name);

// Returns a socket bound to an Ethernet interface: each write sends one frame, and it receives nothing. Throws
// ERR_SINK_OPEN, also when frames would go nowhere because the interface is down (ENETDOWN) or has no carrier
// (ENOLINK).
int open_packet_socket(const std::string& name);

}  // namespace dpcap
