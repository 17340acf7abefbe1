// Mirrors in hardware: what agents are asked, and what they say.
#include <algorithm>

#include "js/exports.h"
#include "js/host/agent_arguments.h"
#include "mirror/flow_client.h"

namespace {

using namespace dpcap;

template <size_t N>
void copy_bytes(const Napi::Object& from, const char* name, uint8_t (&to)[N]) {
  const std::vector<uint8_t> all = bytes(from, name);
  if (all.size() > N) throw Napi::RangeError::New(from.Env(), std::string(name) + " has too many bytes");
  std::copy(all.begin(), all.end(), to);
}

const char* const kKinds[] = {"", "drop", "queue", "port", "jump"};

dpcap_flow_destination to_destination(const Napi::Object& order, const char* name) {
  if (!order.Get(name).IsObject()) throw wrong_type(order.Env(), name, "an object");
  const Napi::Object object = order.Get(name).As<Napi::Object>();
  const std::string kind = text(object, "kind");
  dpcap_flow_destination destination{};
  for (uint32_t i = DPCAP_FLOW_DROP; i <= DPCAP_FLOW_JUMP; i++) {
    if (kind == kKinds[i]) destination.kind = i;
  }
  if (destination.kind == 0) throw wrong_type(order.Env(), name, "'drop', 'queue', 'port' or 'jump'");
  destination.value = number32(object, "value");
  copy_name(destination.device, text(object, "device"));
  return destination;
}

dpcap_flow_match to_match(const Napi::Object& object) {
  dpcap_flow_match match{};
  copy_bytes(object, "sourceMac", match.source_mac);
  copy_bytes(object, "sourceMacMask", match.source_mac_mask);
  copy_bytes(object, "targetMac", match.target_mac);
  copy_bytes(object, "targetMacMask", match.target_mac_mask);
  match.ether_type = number16(object, "etherType");
  match.ether_type_mask = number16(object, "etherTypeMask");
  match.vlan_tci = number16(object, "vlanTci");
  match.vlan_tci_mask = number16(object, "vlanTciMask");
  match.flags = static_cast<uint16_t>(flag(object, "isTagged", DPCAP_FLOW_TAGGED) |
                                      flag(object, "isUntagged", DPCAP_FLOW_UNTAGGED));
  match.ip_version = static_cast<uint8_t>(number(object, "ipVersion", 6));
  match.ports_of = static_cast<uint8_t>(number(object, "portsOf", UINT8_MAX));
  match.protocol = static_cast<uint8_t>(number(object, "protocol", UINT8_MAX));
  match.protocol_mask = static_cast<uint8_t>(number(object, "protocolMask", UINT8_MAX));
  match.source_port = number16(object, "sourcePort");
  match.source_port_mask = number16(object, "sourcePortMask");
  match.target_port = number16(object, "targetPort");
  match.target_port_mask = number16(object, "targetPortMask");
  copy_bytes(object, "sourceIp", match.source_ip);
  copy_bytes(object, "sourceIpMask", match.source_ip_mask);
  copy_bytes(object, "targetIp", match.target_ip);
  copy_bytes(object, "targetIpMask", match.target_ip_mask);
  return match;
}

std::vector<dpcap_flow_match> to_matches(const Napi::Object& order) {
  if (!order.Get("matches").IsArray()) throw wrong_type(order.Env(), "matches", "an array");
  const Napi::Array array = order.Get("matches").As<Napi::Array>();
  std::vector<dpcap_flow_match> matches;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::Value match = array.Get(i);
    if (!match.IsObject()) throw wrong_type(order.Env(), "matches", "objects");
    matches.push_back(to_match(match.As<Napi::Object>()));
  }
  return matches;
}

dpcap_flow_order to_head(const Napi::Object& order) {
  dpcap_flow_order head{};
  head.id = number32(order, "id");
  head.owner_pid = number32(order, "ownerPid");
  head.owner_start_ticks = number(order, "ownerStartTicks", kMostTicks);
  head.lease_seconds = number32(order, "leaseSeconds");
  head.flags = flag(order, "isTransfer", DPCAP_FLOW_TRANSFER) | flag(order, "counts", DPCAP_FLOW_COUNT) |
               flag(order, "validatesOnly", DPCAP_FLOW_VALIDATE_ONLY);
  head.ratio = number32(order, "ratio");
  head.through = number16(order, "throughPort");
  head.source = number16(order, "sourcePort");
  head.fate = to_destination(order, "fate");
  head.copy = to_destination(order, "copy");
  copy_name(head.through_device, text(order, "throughDevice"));
  copy_name(head.source_device, text(order, "sourceDevice"));
  return head;
}

Napi::Object from_destination(Napi::Env env, const dpcap_flow_destination& destination) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("kind", destination.kind <= DPCAP_FLOW_JUMP ? kKinds[destination.kind] : "");
  object.Set("value", destination.value);
  object.Set("device", destination.device);
  return object;
}

Napi::Value from_counters(Napi::Env env, const dpcap_flow_status& status) {
  if (status.has_counters == 0) return env.Null();
  Napi::Object object = Napi::Object::New(env);
  object.Set("packets", from_u64(env, status.packets));
  object.Set("bytes", from_u64(env, status.bytes));
  return object;
}

Napi::Object from_status(Napi::Env env, const dpcap_flow_status& status) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("id", status.id);
  object.Set("state", dpcap_mirror_state_name(status.state));
  object.Set("reason",
             status.state == DPCAP_MIRROR_ON ? env.Null() : Napi::String::New(env, dpcap_flow_end_name(status.reason)));
  object.Set("ownerPid", status.owner_pid);
  object.Set("ownerStartTicks", static_cast<double>(status.owner_start_ticks));
  object.Set("leaseLeftSeconds", status.lease_left);
  object.Set("isTransfer", (status.flags & DPCAP_FLOW_TRANSFER) != 0);
  object.Set("counts", (status.flags & DPCAP_FLOW_COUNT) != 0);
  object.Set("ratio", status.ratio);
  object.Set("rules", status.rule_count);
  object.Set("throughPort", status.through);
  object.Set("throughDevice", status.through_device);
  object.Set("sourcePort", status.source);
  object.Set("sourceDevice", status.source_device);
  object.Set("proxyPort", status.proxy);
  object.Set("fate", from_destination(env, status.fate));
  object.Set("copy", from_destination(env, status.copy));
  object.Set("text", status.text);
  object.Set("counters", from_counters(env, status));
  return object;
}

// flowSet(path, order): its status.
Napi::Value JS_FlowSet(const Napi::CallbackInfo& info) {
  const Napi::Object order = object_of(info, 1, "order");
  AgentClient client(socket_of(info));
  return from_status(info.Env(), flow_set(client, {to_head(order), to_matches(order), text(order, "text")}));
}

// flowRenew(path, id, owner): its status, undefined when it is not there.
Napi::Value JS_FlowRenew(const Napi::CallbackInfo& info) {
  const dpcap_mirror_name name = renewal_of(info);
  AgentClient client(socket_of(info));
  return from_optional(info.Env(), flow_renew(client, name), from_status);
}

// flowClear(path, id): its last status, undefined when it was not there.
Napi::Value JS_FlowClear(const Napi::CallbackInfo& info) {
  AgentClient client(socket_of(info));
  return from_optional(info.Env(), flow_clear(client, id_of(info)), from_status);
}

// flowList(path): all of them.
Napi::Value JS_FlowList(const Napi::CallbackInfo& info) {
  AgentClient client(socket_of(info));
  return from_all(info.Env(), flow_list(client), from_status);
}

// txLoopback(path, {port, device, isOn})
Napi::Value JS_TxLoopback(const Napi::CallbackInfo& info) {
  const Napi::Object object = object_of(info, 1, "loopback");
  dpcap_tx_loopback order{};
  order.port = number16(object, "port");
  order.is_on = boolean(object, "isOn") ? 1 : 0;
  copy_name(order.device, text(object, "device"));
  AgentClient client(socket_of(info));
  tx_loopback(client, order);
  return info.Env().Undefined();
}

}  // namespace

void export_flow(Napi::Object exports) {
  add_function<JS_FlowSet>(exports, "flowSet");
  add_function<JS_FlowRenew>(exports, "flowRenew");
  add_function<JS_FlowClear>(exports, "flowClear");
  add_function<JS_FlowList>(exports, "flowList");
  add_function<JS_TxLoopback>(exports, "txLoopback");
}
