// Conversions between JavaScript values and native structs. JavaScript thread. Types and ranges are checked here a
// second time: a wrong one is a TypeError or RangeError of the caller.
#pragma once
#include <napi.h>

#include <string>
#include <vector>

#include "capture/plan.h"
#include "capture/stats.h"
#include "pdump/pdump_source.h"

dpcap::CapturePlan to_capture_plan(const Napi::Object& object);
// The same object's part for pdump. `capture`: what to_capture_plan() returned for it, and `number` the capture's.
dpcap::PdumpPlan to_pdump_plan(const Napi::Object& object, const dpcap::CapturePlan& capture, uint32_t number);
Napi::Value from_capture_stats(Napi::Env env, const dpcap::CaptureStats& stats);
Napi::Value from_strings(Napi::Env env, const std::vector<std::string>& strings);
std::vector<std::string> to_strings(const Napi::Value& value);
Napi::Value from_u64(Napi::Env env, uint64_t value);  // as a bigint
