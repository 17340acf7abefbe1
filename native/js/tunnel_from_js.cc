#include "js/convert.h"

using namespace dpcap;

dpcap_tunnel_kind to_tunnel_kind(const Napi::Object& o) {
  const std::string kind = text(o, "tunnel");
  if (kind == "erspan2") return DPCAP_ERSPAN_II;
  if (kind == "erspan3") return DPCAP_ERSPAN_III;
  return either(o, "tunnel", "gretap", DPCAP_GRETAP, "vxlan", DPCAP_VXLAN);
}

TunnelOptions to_tunnel(const Napi::Object& o) {
  const dpcap_tunnel tunnel{to_tunnel_kind(o), static_cast<uint32_t>(number(o, "id", UINT32_MAX)),
                            static_cast<uint16_t>(number(o, "udpPort", UINT16_MAX)),
                            static_cast<uint8_t>(number(o, "hardwareId", 63)), boolean(o, "hasShortTime")};
  return {tunnel, static_cast<uint32_t>(number(o, "mtu", UINT16_MAX)),
          static_cast<uint32_t>(number(o, "maxRate", UINT32_MAX))};
}
