// The capture's verbs: start, stats, disable, finish. One capture per process: EAL starts once, and so do we.
#include "core/capture.h"
#include "js/convert.h"
#include "js/exports.h"
#include "js/notifier.h"
#include "js/promise.h"

namespace {

using dpcap::Capture;
using dpcap::CapturePlan;

std::unique_ptr<Capture> capture;
std::shared_ptr<Notifier> notifier;

Capture& running(Napi::Env env) {
  if (!capture) throw Napi::Error::New(env, "no capture was started");
  return *capture;
}

// startCapture(plan, notify): Promise<void>. When it rejects, disableCapture and finishCapture are still owed.
Napi::Value JS_StartCapture(const Napi::CallbackInfo& info) {
  if (notifier) throw Napi::Error::New(info.Env(), "a capture was already started in this process");
  const CapturePlan plan = to_capture_plan(info[0].As<Napi::Object>());
  if (!info[1].IsFunction()) throw Napi::TypeError::New(info.Env(), "Expected notify to be a function");
  notifier = Notifier::create(info.Env(), info[1].As<Napi::Function>());
  return PromiseWorker<bool>::run(
      info.Env(),
      [plan] {
        capture = std::make_unique<Capture>(plan, [to = notifier] { to->notify(); });
        capture->enable();
        return true;
      },
      [](Napi::Env env, const bool&) { return env.Undefined(); });
}

Napi::Value JS_CaptureStats(const Napi::CallbackInfo& info) {
  return from_capture_stats(info.Env(), running(info.Env()).stats());
}

// disableCapture(primaryGone): Promise<string[]>, the targets whose state is unknown.
Napi::Value JS_DisableCapture(const Napi::CallbackInfo& info) {
  const bool primary_gone = info[0].As<Napi::Boolean>();
  return PromiseWorker<std::vector<std::string>>::run(
      info.Env(), [primary_gone] { return capture ? capture->disable(primary_gone) : std::vector<std::string>(); },
      from_strings);
}

// finishCapture(mayFree): Promise<boolean>, whether everything in the primary was freed. No notify() after the call.
Napi::Value JS_FinishCapture(const Napi::CallbackInfo& info) {
  if (notifier) notifier->close();
  const bool may_free = info[0].As<Napi::Boolean>();
  return PromiseWorker<bool>::run(
      info.Env(), [may_free] { return capture ? capture->finish(may_free) : true; },
      [](Napi::Env env, const bool& freed) { return Napi::Boolean::New(env, freed); });
}

}  // namespace

void export_capture(Napi::Env env, Napi::Object exports) {
  exports.Set("startCapture", Napi::Function::New(env, JS_StartCapture));
  exports.Set("captureStats", Napi::Function::New(env, JS_CaptureStats));
  exports.Set("disableCapture", Napi::Function::New(env, JS_DisableCapture));
  exports.Set("finishCapture", Napi::Function::New(env, JS_FinishCapture));
}
