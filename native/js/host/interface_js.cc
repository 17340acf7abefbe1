// createTap(name, netns, mtu, queues): returns a descriptor for each queue.
// setUpInterface(name, mtu). isInterface(name): returns a boolean. openPacketSocket(name): returns a descriptor.
// openTunnelSocket(ends): returns a descriptor, the source address and the MTU.
#include "js/convert.h"
#include "js/errors.h"
#include "js/exports.h"
#include "sink/interface/packet_socket.h"
#include "sink/interface/tap_device.h"
#include "sink/tunnel/tunnel_socket.h"

namespace {

Napi::Value JS_CreateTap(const Napi::CallbackInfo& info) {
  if (!info[0].IsString() || !info[1].IsString() || !info[2].IsNumber() || !info[3].IsNumber()) {
    throw Napi::TypeError::New(info.Env(), "Expected a name, a namespace, an MTU and a number of queues");
  }
  const std::vector<int> fds =
      dpcap::create_tap({info[0].As<Napi::String>(), info[1].As<Napi::String>(),
                         info[2].As<Napi::Number>().Uint32Value(), info[3].As<Napi::Number>().Uint32Value()});
  Napi::Array queues = Napi::Array::New(info.Env(), fds.size());
  for (uint32_t i = 0; i < fds.size(); i++) queues.Set(i, fds[i]);
  return queues;
}

std::string to_name(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) throw Napi::TypeError::New(info.Env(), "Expected the name of an interface");
  return info[0].As<Napi::String>();
}

Napi::Value JS_SetUpInterface(const Napi::CallbackInfo& info) {
  if (!info[1].IsNumber()) throw Napi::TypeError::New(info.Env(), "Expected a name and an MTU");
  dpcap::set_up_interface(to_name(info), info[1].As<Napi::Number>().Uint32Value());
  return info.Env().Undefined();
}

Napi::Value JS_IsInterface(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), dpcap::is_interface(to_name(info)));
}

Napi::Value JS_OpenPacketSocket(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), dpcap::open_packet_socket(to_name(info)));
}

Napi::Value JS_OpenTunnelSocket(const Napi::CallbackInfo& info) {
  if (!info[0].IsObject()) throw Napi::TypeError::New(info.Env(), "Expected the ends of a tunnel");
  const auto ends = info[0].As<Napi::Object>();
  const dpcap::TunnelSocket opened = dpcap::open_tunnel_socket(
      {text(ends, "destination"), text(ends, "source"), to_tunnel_kind(ends),
       static_cast<uint32_t>(number(ends, "mtu", UINT16_MAX)), static_cast<uint8_t>(number(ends, "ttl", UINT8_MAX)),
       static_cast<uint8_t>(number(ends, "dscp", 63))});
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("fd", opened.fd);
  object.Set("source", opened.source);
  object.Set("mtu", opened.mtu);
  return object;
}

}  // namespace

void export_interface(Napi::Object exports) {
  add_function<JS_CreateTap>(exports, "createTap");
  add_function<JS_SetUpInterface>(exports, "setUpInterface");
  add_function<JS_IsInterface>(exports, "isInterface");
  add_function<JS_OpenPacketSocket>(exports, "openPacketSocket");
  add_function<JS_OpenTunnelSocket>(exports, "openTunnelSocket");
}
