#include "js/samples.h"

#include <cstring>

namespace {

// Four words for each frame: the low and the high half of ol_flags, vlan_tci, vlan_tci_outer.
void set_tags(const Napi::Value& value, std::vector<dpcap::Sample>& frames) {
  if (value.IsUndefined()) return;
  const bool ok = value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint32_array &&
                  value.As<Napi::TypedArray>().ElementLength() == 4 * frames.size();
  if (!ok) throw Napi::TypeError::New(value.Env(), "expected tags to be a Uint32Array of four words a packet");
  const auto words = value.As<Napi::Uint32Array>();
  for (size_t i = 0; i < frames.size(); i++) {
    const uint32_t* word = words.Data() + 4 * i;
    frames[i].tags = {word[0] | static_cast<uint64_t>(word[1]) << 32, static_cast<uint16_t>(word[2]),
                      static_cast<uint16_t>(word[3])};
  }
}

}  // namespace

std::vector<dpcap::Sample> samples_from(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsArray()) throw Napi::TypeError::New(info.Env(), "expected packets to be an array of Uint8Array");
  const Napi::Array array = info[index].As<Napi::Array>();
  std::vector<dpcap::Sample> frames;
  frames.reserve(array.Length());
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::Value value = array[i];
    if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
      throw Napi::TypeError::New(info.Env(), "expected packet " + std::to_string(i) + " to be a Uint8Array");
    const auto bytes = value.As<Napi::Uint8Array>();
    frames.push_back({bytes.Data(), bytes.ByteLength()});
  }
  return frames;
}

Napi::Uint8Array program_from(const Napi::CallbackInfo& info) {
  const bool ok = info[0].IsTypedArray() && info[0].As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array &&
                  info[0].As<Napi::TypedArray>().ByteLength() % 8 == 0;
  if (!ok) throw Napi::TypeError::New(info.Env(), "expected program to be a Uint8Array of 8-byte instructions");
  return info[0].As<Napi::Uint8Array>();
}

Napi::Value to_js(Napi::Env env, const std::vector<uint8_t>& bytes) {
  Napi::Uint8Array result = Napi::Uint8Array::New(env, bytes.size());
  if (!bytes.empty()) memcpy(result.Data(), bytes.data(), bytes.size());
  return result;
}

std::vector<dpcap::Sample> samples_from(const Napi::CallbackInfo& info, size_t index, const Napi::Value& tags) {
  std::vector<dpcap::Sample> samples = samples_from(info, index);
  set_tags(tags, samples);
  return samples;
}
