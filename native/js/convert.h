// Conversions between JavaScript values and native structs. JavaScript thread. Types and ranges are checked here a
// second time: a wrong one is a TypeError or RangeError of the caller.
#pragma once
#include <napi.h>

#include <string>
#include <vector>

#include "capture/capture.h"

dpcap::CapturePlan to_capture_plan(const Napi::Object& object);
Napi::Value from_capture_stats(Napi::Env env, const dpcap::CaptureStats& stats);
Napi::Value from_strings(Napi::Env env, const std::vector<std::string>& strings);
std::vector<std::string> to_strings(const Napi::Value& value);
Napi::Value from_u64(Napi::Env env, uint64_t value);  // as a bigint
