// Implements InjectBinding of src/native/inject-binding.ts.
#include <syslog.h>

#include "inject/injected_call.h"
#include "inject/thread_place.h"
#include "inject/trampoline.h"
#include "js/convert.h"
#include "js/errors.h"
#include "js/exports.h"
#include "js/promise.h"

namespace {

using namespace dpcap;

constexpr uint64_t kMostPids = 1 << 22;  // PID_MAX_LIMIT of 64-bit Linux
constexpr uint64_t kMostMs = 60000;

uint64_t address(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  bool is_exact = false;
  const uint64_t number = value.IsBigInt() ? value.As<Napi::BigInt>().Uint64Value(&is_exact) : 0;
  if (!is_exact) throw wrong_type(object.Env(), name, "a bigint");
  return number;
}

InjectedCall to_call(const Napi::Object& object) {
  InjectedCall call{};
  call.pid = static_cast<pid_t>(number(object, "pid", kMostPids));
  call.tid = static_cast<pid_t>(number(object, "tid", kMostPids));
  call.code = address(object, "code");
  call.report = address(object, "report");
  call.function = address(object, "function");
  call.text = text(object, "text");
  call.first = number(object, "first", UINT32_MAX);
  call.second = number(object, "second", UINT32_MAX);
  call.explain = address(object, "explain");
  call.stop_ms = static_cast<int>(number(object, "stopMs", kMostMs));
  call.call_ms = static_cast<int>(number(object, "callMs", kMostMs));
  return call;
}

Napi::Value from_outcome(Napi::Env env, const CallOutcome& outcome) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("result", Napi::BigInt::New(env, outcome.result));
  object.Set("explanation", outcome.explanation);
  object.Set("heldUs", static_cast<double>(outcome.held_ns) / 1000);
  return object;
}

// callInThread(call): Promise<CallOutcome>.
Napi::Value JS_CallInThread(const Napi::CallbackInfo& info) {
  if (!info[0].IsObject()) throw Napi::TypeError::New(info.Env(), "Expected a call");
  const InjectedCall call = to_call(info[0].As<Napi::Object>());
  return PromiseWorker<CallOutcome>::run(
      info.Env(), [call] { return call_in_thread(call); }, from_outcome);
}

// isRest(call): boolean.
Napi::Value JS_IsRest(const Napi::CallbackInfo& info) {
  if (!info[0].IsNumber()) throw Napi::TypeError::New(info.Env(), "Expected the number of a system call");
  return Napi::Boolean::New(info.Env(), is_rest(info[0].As<Napi::Number>().Int64Value()));
}

// writeAudit(line): to the system's log of what concerns security. Where nobody takes it, it is lost.
Napi::Value JS_WriteAudit(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) throw Napi::TypeError::New(info.Env(), "Expected a line");
  const std::string line = info[0].As<Napi::String>();
  openlog("dpcap", LOG_PID, LOG_AUTHPRIV);
  syslog(LOG_NOTICE, "%s", line.c_str());
  closelog();
  return info.Env().Undefined();
}

}  // namespace

void export_inject(Napi::Object exports) {
  exports.Set("hasTrampoline", has_trampoline());
  exports.Set("trampolineRoom", static_cast<double>(kTrampolineRoom));
  add_function<JS_CallInThread>(exports, "callInThread");
  add_function<JS_IsRest>(exports, "isRest");
  add_function<JS_WriteAudit>(exports, "writeAudit");
}
