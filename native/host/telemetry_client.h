// Questions to a primary's telemetry socket. On the caller's thread, bounded in time.
#pragma once
#include <string>
#include <vector>

namespace dpcap {

// One connection to a telemetry socket (SOCK_SEQPACKET), `commands` one after the other. A connection costs the
// primary a thread, hence several commands for one. timeout_ms bounds the whole exchange. Throws ERR_SYSTEM.
std::vector<std::string> telemetry(const std::string& path, const std::vector<std::string>& commands, int timeout_ms);

}  // namespace dpcap
