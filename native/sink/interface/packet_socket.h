// Sending whole frames out of a kernel interface that there is already.
#pragma once
#include <string>

namespace dpcap {

// Whether an interface of the network namespace we are in has this name.
bool is_interface(const std::string& name);

// A socket bound to an Ethernet interface: each write sends one frame, and it receives nothing. Throws ERR_SINK_OPEN,
// also when what is sent would go nowhere: the interface is down (ENETDOWN) or has no carrier (ENOLINK).
int open_packet_socket(const std::string& name);

}  // namespace dpcap
