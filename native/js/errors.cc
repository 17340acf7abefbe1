#include "js/errors.h"

#include <cstring>

Napi::Error to_js_error(Napi::Env env, const dpcap::Error& error) {
  Napi::Error js = Napi::Error::New(env, error.what());
  js.Set("code", Napi::String::New(env, error.code()));
  if (error.err() != 0) {
    const char* name = strerrorname_np(error.err());
    js.Set("errno", Napi::String::New(env, name ? name : std::to_string(error.err())));
  }
  if (!error.subject().empty()) js.Set("subject", Napi::String::New(env, error.subject()));
  return js;
}
