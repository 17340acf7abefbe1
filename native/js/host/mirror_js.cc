// Mirrors in applications that have the agent: what is asked of them, and what they say.
#include "js/exports.h"
#include "js/host/agent_arguments.h"
#include "js/host/mirror_tunnel_js.h"
#include "mirror/kernel_port_client.h"
#include "mirror/mirror_client.h"

namespace {

using namespace dpcap;

dpcap_mirror_order to_head(const Napi::Object& order) {
  dpcap_mirror_order head{};
  head.id = number32(order, "id");
  head.owner_pid = number32(order, "ownerPid");
  head.owner_start_ticks = number(order, "ownerStartTicks", kMostTicks);
  head.lease_seconds = number32(order, "leaseSeconds");
  head.directions = flag(order, "rx", DPCAP_AGENT_RX) | flag(order, "tx", DPCAP_AGENT_TX);
  head.snaplen = number32(order, "snaplen");
  head.flags =
      flag(order, "pushesVlan", DPCAP_MIRROR_PUSH_VLAN) | flag(order, "byReference", DPCAP_MIRROR_BY_REFERENCE);
  head.source_port = number16(order, "sourcePort");
  head.target_port = number16(order, "targetPort");
  head.target_queue = number16(order, "targetQueue");
  head.vlan_tci = number16(order, "vlanTci");
  copy_name(head.source_device, text(order, "sourceDevice"));
  copy_name(head.target_device, text(order, "targetDevice"));
  return head;
}

Napi::Object from_counters(Napi::Env env, const dpcap_mirror_counters& counters) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("filtered", from_u64(env, counters.filtered));
  object.Set("matched", from_u64(env, counters.matched));
  object.Set("copied", from_u64(env, counters.copied));
  object.Set("sent", from_u64(env, counters.sent));
  object.Set("refused", from_u64(env, counters.refused));
  object.Set("nombuf", from_u64(env, counters.nombuf));
  object.Set("contended", from_u64(env, counters.contended));
  object.Set("missed", from_u64(env, counters.missed));
  object.Set("cut", from_u64(env, counters.cut));
  return object;
}

Napi::Object from_report(Napi::Env env, const dpcap_mirror_report& report) {
  const dpcap_mirror_status& status = report.mirror;
  Napi::Object object = Napi::Object::New(env);
  object.Set("id", status.id);
  object.Set("state", dpcap_mirror_state_name(status.state));
  object.Set("reason", status.state == DPCAP_MIRROR_ON ? env.Null()
                                                       : Napi::String::New(env, dpcap_mirror_end_name(status.reason)));
  object.Set("ownerPid", status.owner_pid);
  object.Set("ownerStartTicks", static_cast<double>(status.owner_start_ticks));
  object.Set("leaseLeftSeconds", status.lease_left);
  object.Set("rx", (status.directions & DPCAP_AGENT_RX) != 0);
  object.Set("tx", (status.directions & DPCAP_AGENT_TX) != 0);
  object.Set("snaplen", status.snaplen);
  object.Set("byReference", (status.flags & DPCAP_MIRROR_BY_REFERENCE) != 0);
  const bool pushes_vlan = (status.flags & DPCAP_MIRROR_PUSH_VLAN) != 0;
  object.Set("pushedVlanTci", pushes_vlan ? Napi::Number::New(env, status.vlan_tci) : env.Null());
  object.Set("sourcePort", status.source_port);
  object.Set("sourceDevice", status.source_device);
  object.Set("targetPort", status.target_port);
  object.Set("targetDevice", status.target_device);
  object.Set("targetQueue", status.target_queue);
  object.Set("lanes", status.lanes);
  object.Set("filter", status.filter);
  object.Set("counters", from_counters(env, status.counters));
  object.Set("tunnel", from_mirror_tunnel(env, report));
  return object;
}

// mirrorSet(path, order): its status. Waits while the target's queue is watched.
Napi::Value JS_MirrorSet(const Napi::CallbackInfo& info) {
  const Napi::Object order = object_of(info, 1, "order");
  const FilterPrograms programs = to_programs(order);
  AgentClient client(socket_of(info));
  return from_report(info.Env(), mirror_set(client, {to_head(order), programs.rx, programs.tx, text(order, "filter"),
                                                     to_mirror_tunnel(order)}));
}

// mirrorRenew(path, id, owner): its status, undefined when it is not there.
Napi::Value JS_MirrorRenew(const Napi::CallbackInfo& info) {
  const dpcap_mirror_name name = renewal_of(info);
  AgentClient client(socket_of(info));
  return from_optional(info.Env(), mirror_renew(client, name), from_report);
}

// mirrorClear(path, id): its last status, undefined when it was not there.
Napi::Value JS_MirrorClear(const Napi::CallbackInfo& info) {
  AgentClient client(socket_of(info));
  return from_optional(info.Env(), mirror_clear(client, id_of(info)), from_report);
}

// mirrorList(path): all of them.
Napi::Value JS_MirrorList(const Napi::CallbackInfo& info) {
  AgentClient client(socket_of(info));
  return from_all(info.Env(), mirror_list(client), from_report);
}

// kernelPortAdd(path, interface): the port, and the name of its device.
Napi::Value JS_KernelPortAdd(const Napi::CallbackInfo& info) {
  if (!info[1].IsString()) throw wrong_type(info.Env(), "interface", "a string");
  AgentClient client(socket_of(info));
  const dpcap_kernel_port port = kernel_port_add(client, info[1].As<Napi::String>());
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("port", port.port);
  object.Set("device", port.device);
  return object;
}

}  // namespace

void export_mirror(Napi::Object exports) {
  add_function<JS_MirrorSet>(exports, "mirrorSet");
  add_function<JS_MirrorRenew>(exports, "mirrorRenew");
  add_function<JS_MirrorClear>(exports, "mirrorClear");
  add_function<JS_MirrorList>(exports, "mirrorList");
  add_function<JS_KernelPortAdd>(exports, "kernelPortAdd");
}
