// Arguments of the functions that try filters on samples. JavaScript thread.
#pragma once
#include <napi.h>

#include <vector>

#include "filter/filter.h"

// The argument at `index` as packets; `tags` as four words for each: the low and the high half of ol_flags, vlan_tci,
// vlan_tci_outer.
std::vector<dpcap::Sample> samples_from(const Napi::CallbackInfo& info, size_t index, const Napi::Value& tags);
std::vector<dpcap::Sample> samples_from(const Napi::CallbackInfo& info, size_t index);
// The first argument as an array of 8-byte instructions.
Napi::Uint8Array program_from(const Napi::CallbackInfo& info);
Napi::Value to_js(Napi::Env env, const std::vector<uint8_t>& bytes);
