// What calls about an agent have in common: its socket, a mirror of its, and fields of requests. JavaScript's thread.
#pragma once
#include <napi.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/mirror.h"
#include "js/convert.h"
#include "js/errors.h"

namespace dpcap {

constexpr uint64_t kMostTicks = 1ull << 53;

inline std::string socket_of(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) throw Napi::TypeError::New(info.Env(), "Expected the path of an agent's socket");
  return info[0].As<Napi::String>();
}

inline Napi::Object object_of(const Napi::CallbackInfo& info, size_t at, const char* name) {
  if (!info[at].IsObject()) throw wrong_type(info.Env(), name, "an object");
  return info[at].As<Napi::Object>();
}

inline uint32_t id_of(const Napi::CallbackInfo& info) {
  if (!info[1].IsNumber()) throw Napi::TypeError::New(info.Env(), "Expected the id of a mirror");
  return info[1].As<Napi::Number>().Uint32Value();
}

template <size_t N>
void copy_name(char (&to)[N], const std::string& name) {
  name.copy(to, N - 1);
}

inline uint16_t number16(const Napi::Object& object, const char* name) {
  return static_cast<uint16_t>(number(object, name, UINT16_MAX));
}

inline uint32_t number32(const Napi::Object& object, const char* name) {
  return static_cast<uint32_t>(number(object, name, UINT32_MAX));
}

inline uint32_t flag(const Napi::Object& object, const char* name, uint32_t value) {
  return boolean(object, name) ? value : 0;
}

// The arguments (path, id, owner) of a call that renews a lease.
inline dpcap_mirror_name renewal_of(const Napi::CallbackInfo& info) {
  const Napi::Object owner = object_of(info, 2, "owner");
  dpcap_mirror_name name{};
  name.id = id_of(info);
  name.owner_pid = number32(owner, "pid");
  name.owner_start_ticks = number(owner, "startTicks", kMostTicks);
  name.lease_seconds = number32(owner, "leaseSeconds");
  return name;
}

// `from_status` makes the JavaScript object of one.
template <typename Status>
Napi::Value from_optional(Napi::Env env, const std::optional<Status>& status,
                          Napi::Object (*from_status)(Napi::Env, const Status&)) {
  return status ? from_status(env, *status) : env.Undefined();
}

template <typename Status>
Napi::Array from_all(Napi::Env env, const std::vector<Status>& all,
                     Napi::Object (*from_status)(Napi::Env, const Status&)) {
  Napi::Array array = Napi::Array::New(env, all.size());
  for (uint32_t i = 0; i < all.size(); i++) array.Set(i, from_status(env, all[i]));
  return array;
}

}  // namespace dpcap
