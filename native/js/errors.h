// Turns a native error into a JavaScript error; nothing else does. The object carries code (ErrorCode), errno (a name)
// and subject; src/native/ turns it into a DpcapError. JavaScript thread.
#pragma once
#include <napi.h>

#include "base/error.h"

Napi::Error to_js_error(Napi::Env env, const dpcap::Error& error);

// Wraps a function of the addon, so that its errors, those of the standard library included, go through to_js_error().
template <Napi::Value (*body)(const Napi::CallbackInfo&)>
Napi::Value guarded(const Napi::CallbackInfo& info) {
  try {
    return body(info);
  } catch (const Napi::Error&) {
    throw;
  } catch (const dpcap::Error& error) {
    throw to_js_error(info.Env(), error);
  } catch (const std::exception& error) {
    throw to_js_error(info.Env(), dpcap::Error("ERR_SYSTEM", error.what()));
  }
}

template <Napi::Value (*body)(const Napi::CallbackInfo&)>
void add_function(Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New(exports.Env(), guarded<body>, name));
}
