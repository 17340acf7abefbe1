// Sends commands to a primary's telemetry socket. Runs on the caller's thread, bounded in time.
#pragma once
#include <string>
#include <vector>

namespace dpcap {

// Opens one connection to a telemetry socket (SOCK_SEQPACKET), sends `commands` one after the other and returns the
// answers. A connection costs the primary a thread, so several commands share one. timeout_ms bounds the whole
// exchange. Throws ERR_SYSTEM.
std::vector<std::string> telemetry(const std::string& path, const std::vector<std::string>& commands, int timeout_ms);

}  // namespace dpcap
