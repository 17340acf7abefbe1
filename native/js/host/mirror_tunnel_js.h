// Tunnels of mirrors, between JavaScript values and what is said to agents. JavaScript's thread.
#pragma once
#include <napi.h>

#include <optional>

#include "agent/wire/tunnel.h"

namespace dpcap {

// Reads the property `tunnel` of a MirrorOrder of src/native/mirror-binding.ts, which need not be there.
std::optional<dpcap_mirror_tunnel> to_mirror_tunnel(const Napi::Object& order);
// A MirrorTunnelStatus, or null for a mirror to a port.
Napi::Value from_mirror_tunnel(Napi::Env env, const dpcap_mirror_report& report);

}  // namespace dpcap
