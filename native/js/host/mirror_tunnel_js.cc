#include "js/host/mirror_tunnel_js.h"

#include <arpa/inet.h>
#include <netinet/ether.h>

#include <cstdio>
#include <cstring>

#include "js/convert.h"
#include "js/host/agent_arguments.h"

namespace dpcap {
namespace {

constexpr struct {
  const char* name;
  uint32_t kind;
} kKinds[] = {{"erspan2", DPCAP_MIRROR_ERSPAN_II},
              {"erspan3", DPCAP_MIRROR_ERSPAN_III},
              {"gretap", DPCAP_MIRROR_GRETAP},
              {"vxlan", DPCAP_MIRROR_VXLAN}};

uint32_t to_kind(const Napi::Object& o) {
  const std::string name = text(o, "tunnel");
  for (const auto& one : kKinds) {
    if (name == one.name) return one.kind;
  }
  throw wrong_type(o.Env(), "tunnel", "'erspan2', 'erspan3', 'gretap' or 'vxlan'");
}

const char* kind_name(uint32_t kind) {
  for (const auto& one : kKinds) {
    if (kind == one.kind) return one.name;
  }
  return "erspan3";
}

int family_of(const dpcap_mirror_tunnel& tunnel) {
  return (tunnel.flags & DPCAP_MIRROR_IPV6) != 0 ? AF_INET6 : AF_INET;
}

void copy_address(const Napi::Object& o, const char* name, const dpcap_mirror_tunnel& tunnel, uint8_t (&to)[16]) {
  if (inet_pton(family_of(tunnel), text(o, name).c_str(), to) != 1) throw wrong_type(o.Env(), name, "an address");
}

std::string from_address(const dpcap_mirror_tunnel& tunnel, const uint8_t (&address)[16]) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(family_of(tunnel), address, text, sizeof text);
  return text;
}

void copy_mac(const Napi::Object& o, dpcap_mirror_tunnel& tunnel) {
  const std::string mac = text(o, "nextHop");
  ether_addr address{};
  if (mac.empty()) return;
  if (ether_aton_r(mac.c_str(), &address) == nullptr) throw wrong_type(o.Env(), "nextHop", "a MAC address");
  memcpy(tunnel.next_hop, address.ether_addr_octet, sizeof tunnel.next_hop);
  tunnel.flags |= DPCAP_MIRROR_NEXT_HOP_GIVEN;
}

Napi::Value from_mac(Napi::Env env, const uint8_t (&mac)[6]) {
  static const uint8_t none[6] = {};
  if (memcmp(mac, none, sizeof none) == 0) return env.Null();
  char text[18];
  snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
  return Napi::String::New(env, text);
}

Napi::Object from_counters(Napi::Env env, const dpcap_mirror_tunnel_counters& counters) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("limited", from_u64(env, counters.limited));
  object.Set("unresolved", from_u64(env, counters.unresolved));
  object.Set("own", from_u64(env, counters.own));
  return object;
}

}  // namespace

std::optional<dpcap_mirror_tunnel> to_mirror_tunnel(const Napi::Object& order) {
  if (order.Get("tunnel").IsUndefined()) return std::nullopt;
  if (!order.Get("tunnel").IsObject()) throw wrong_type(order.Env(), "tunnel", "an object");
  const auto o = order.Get("tunnel").As<Napi::Object>();
  dpcap_mirror_tunnel tunnel{};
  tunnel.kind = to_kind(o);
  tunnel.id = number32(o, "id");
  tunnel.flags = flag(o, "isIpv6", DPCAP_MIRROR_IPV6) | flag(o, "hasShortTime", DPCAP_MIRROR_SHORT_TIME);
  tunnel.most_rate = number32(o, "maxRate");
  tunnel.udp_port = number16(o, "udpPort");
  tunnel.mtu = number16(o, "mtu");
  tunnel.ttl = static_cast<uint8_t>(number(o, "ttl", UINT8_MAX));
  tunnel.traffic_class = static_cast<uint8_t>(number(o, "dscp", 63) << 2);
  tunnel.hardware_id = static_cast<uint8_t>(number(o, "hardwareId", 63));
  copy_address(o, "source", tunnel, tunnel.source);
  copy_address(o, "destination", tunnel, tunnel.destination);
  copy_address(o, "neighbour", tunnel, tunnel.neighbour);
  copy_mac(o, tunnel);
  return tunnel;
}

Napi::Value from_mirror_tunnel(Napi::Env env, const dpcap_mirror_report& report) {
  if ((report.mirror.flags & DPCAP_MIRROR_TUNNEL) == 0) return env.Null();
  const dpcap_mirror_tunnel& tunnel = report.tunnel;
  Napi::Object object = Napi::Object::New(env);
  object.Set("tunnel", kind_name(tunnel.kind));
  object.Set("id", tunnel.id);
  object.Set("hasShortTime", (tunnel.flags & DPCAP_MIRROR_SHORT_TIME) != 0);
  object.Set("maxRate", tunnel.most_rate);
  object.Set("udpPort", tunnel.udp_port);
  object.Set("mtu", tunnel.mtu);
  object.Set("ttl", tunnel.ttl);
  object.Set("dscp", tunnel.traffic_class >> 2);
  object.Set("hardwareId", tunnel.hardware_id);
  object.Set("source", from_address(tunnel, tunnel.source));
  object.Set("destination", from_address(tunnel, tunnel.destination));
  object.Set("neighbour", from_address(tunnel, tunnel.neighbour));
  object.Set("nextHop", from_mac(env, tunnel.next_hop));
  object.Set("isNextHopGiven", (tunnel.flags & DPCAP_MIRROR_NEXT_HOP_GIVEN) != 0);
  object.Set("counters", from_counters(env, report.counters));
  return object;
}

}  // namespace dpcap
