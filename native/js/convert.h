// Conversions between JavaScript values and native structs. JavaScript thread. Types and ranges are checked here a
// second time: a wrong one is a TypeError or RangeError of the caller.
#pragma once
#include <napi.h>

#include <string>
#include <vector>

#include "capture/plan.h"
#include "capture/stats.h"
#include "sink/compress/compression.h"
#include "sink/rotation/file_supply.h"

// The value of a property of that type: an integer from 0 to `max`, a string, strings, a boolean, the bytes of a
// Uint8Array.
uint64_t number(const Napi::Object& object, const char* name, uint64_t max);
std::string text(const Napi::Object& object, const char* name);
std::vector<std::string> texts(const Napi::Object& object, const char* name);
bool boolean(const Napi::Object& object, const char* name);
std::vector<uint8_t> bytes(const Napi::Object& object, const char* name);
Napi::TypeError wrong_type(Napi::Env env, const char* name, const char* expected);

// Turns the text `a` or `b` into one of two values.
template <typename T>
T either(const Napi::Object& object, const char* name, const char* a, T if_a, const char* b, T if_b) {
  const std::string value = text(object, name);
  if (value == a) return if_a;
  if (value == b) return if_b;
  throw wrong_type(object.Env(), name, (std::string("'") + a + "' or '" + b + "'").c_str());
}

// The properties `program` and `programTx`: both are empty, or neither.
dpcap::FilterPrograms to_programs(const Napi::Object& object);

// Reads the property `tunnel`: erspan2, erspan3, gretap or vxlan.
dpcap_tunnel_kind to_tunnel_kind(const Napi::Object& object);
// Reads a TunnelSinkPlan of src/native/capture-binding.ts, but its descriptor.
dpcap::TunnelOptions to_tunnel(const Napi::Object& object);
// Reads the property `compression`, which may be left out.
dpcap::Compression compression_of(const Napi::Object& object);
dpcap::CapturePlan to_capture_plan(const Napi::Object& object);
Napi::Value from_capture_stats(Napi::Env env, const dpcap::CaptureStats& stats);
Napi::Value from_file_turns(Napi::Env env, const std::vector<dpcap::FileTurn>& turns);
Napi::Value from_strings(Napi::Env env, const std::vector<std::string>& strings);
std::vector<std::string> to_strings(const Napi::Value& value);
Napi::Value from_u64(Napi::Env env, uint64_t value);  // as a bigint
