// createTap(name, netns, mtu): a descriptor.
#include "core/tap.h"
#include "js/exports.h"
#include "js/throw.h"

namespace {

Napi::Value JS_CreateTap(const Napi::CallbackInfo& info) {
  if (!info[0].IsString() || !info[1].IsString() || !info[2].IsNumber()) {
    throw Napi::TypeError::New(info.Env(), "Expected a name, a namespace and an MTU");
  }
  try {
    const int fd = dpcap::create_tap(
        {info[0].As<Napi::String>(), info[1].As<Napi::String>(), info[2].As<Napi::Number>().Uint32Value()});
    return Napi::Number::New(info.Env(), fd);
  } catch (const dpcap::Error& error) {
    throw to_js_error(info.Env(), error);
  }
}

}  // namespace

void export_tap(Napi::Env env, Napi::Object exports) {
  exports.Set("createTap", Napi::Function::New(env, JS_CreateTap));
}
