// Filters in librte_bpf: runExtended, verifyExtended. They convert arguments and results.
#include "filter/filter.h"
#include "js/errors.h"
#include "js/exports.h"
#include "js/samples.h"

namespace {

Napi::Value JS_runExtended(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array bytes = program_from(info);
  if (!info[2].IsUndefined() && !info[2].IsNumber())
    throw Napi::TypeError::New(info.Env(), "expected segmentSize to be a number of bytes");
  const size_t segment_size = info[2].IsNumber() ? info[2].As<Napi::Number>().Uint32Value() : 0;
  const std::vector<dpcap::Sample> frames = samples_from(info, 1, info[3]);
  return to_js(info.Env(), dpcap::run_extended(bytes.Data(), bytes.ByteLength() / 8, frames, segment_size));
}

Napi::Value JS_verifyExtended(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array bytes = program_from(info);
  if (!info[1].IsNumber()) throw Napi::TypeError::New(info.Env(), "expected timeoutMs to be a number");
  dpcap::verify_extended(bytes.Data(), bytes.ByteLength() / 8, info[1].As<Napi::Number>().Int32Value());
  return info.Env().Undefined();
}

}  // namespace

void export_extended(Napi::Object exports) {
  add_function<JS_runExtended>(exports, "runExtended");
  add_function<JS_verifyExtended>(exports, "verifyExtended");
}
