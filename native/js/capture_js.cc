// The functions of a capture: start, stats, grow, settle, disable, finish, free, abandon. There is one capture per
// process, because EAL starts only once in a process.
#include <mutex>

#include "capture/capture.h"
#include "js/convert.h"
#include "js/errors.h"
#include "js/exports.h"
#include "js/notifier.h"
#include "js/promise.h"
#include "pdump/pdump_source.h"

namespace {

using dpcap::Capture;
using dpcap::CapturePlan;
using dpcap::Notify;
using dpcap::PdumpPlan;
using dpcap::PdumpSource;
using dpcap::Primary;

std::unique_ptr<Capture> capture;
std::mutex capture_made;  // held to make the capture, and to abandon it, which may come first
bool is_abandoned = false;
std::shared_ptr<Notifier> notifier;

Capture& running(Napi::Env env) {
  if (!capture) throw Napi::Error::New(env, "no capture was started");
  return *capture;
}

// startCapture(plan, notify): Promise<void>. When it rejects, disableCapture, finishCapture and freeCapture must still
// be called.
Napi::Value JS_StartCapture(const Napi::CallbackInfo& info) {
  if (notifier) throw Napi::Error::New(info.Env(), "a capture was already started in this process");
  const CapturePlan plan = to_capture_plan(info[0].As<Napi::Object>());
  const PdumpPlan pdump = to_pdump_plan(info[0].As<Napi::Object>(), plan);
  if (!info[1].IsFunction()) throw Napi::TypeError::New(info.Env(), "Expected notify to be a function");
  notifier = Notifier::create(info.Env(), info[1].As<Napi::Function>());
  return PromiseWorker<bool>::run(
      info.Env(),
      [plan, pdump] {
        const Notify notify = [to = notifier] { to->notify(); };
        auto prepared = std::make_unique<Capture>(plan, std::make_unique<PdumpSource>(pdump, notify), notify);
        {
          const std::lock_guard<std::mutex> lock(capture_made);
          capture = std::move(prepared);
          if (is_abandoned) capture->abandon();
        }
        capture->prepare();
        capture->enable();
        return true;
      },
      [](Napi::Env env, const bool&) { return env.Undefined(); });
}

// captureStats(): returns the counters, and checks the lanes' ports as well.
Napi::Value JS_CaptureStats(const Napi::CallbackInfo& info) {
  running(info.Env()).watch();
  return from_capture_stats(info.Env(), running(info.Env()).stats());
}

// growCapture(pieces, upTo): Promise<boolean>, which tells whether there may be more mbufs.
Napi::Value JS_GrowCapture(const Napi::CallbackInfo& info) {
  Capture& grown = running(info.Env());
  const uint32_t pieces = info[0].As<Napi::Number>();
  const uint32_t up_to = info[1].As<Napi::Number>();
  return PromiseWorker<bool>::run(
      info.Env(), [&grown, pieces, up_to] { return grown.grow(pieces, up_to); },
      [](Napi::Env env, const bool& has_room) { return Napi::Boolean::New(env, has_room); });
}

// settleLanes(): Promise<void>
Napi::Value JS_SettleLanes(const Napi::CallbackInfo& info) {
  Capture& settled = running(info.Env());
  return PromiseWorker<bool>::run(
      info.Env(),
      [&settled] {
        settled.settle();
        return true;
      },
      [](Napi::Env env, const bool&) { return env.Undefined(); });
}

// abandonCapture(): a call that takes or frees memory in the primary, or disables lanes, ends at its next piece of
// memory or lane, now and later.
Napi::Value JS_AbandonCapture(const Napi::CallbackInfo& info) {
  const std::lock_guard<std::mutex> lock(capture_made);
  is_abandoned = true;
  if (capture) capture->abandon();
  return info.Env().Undefined();
}

// disableCapture(primaryGone): Promise<string[]>, the lanes whose state is unknown.
Napi::Value JS_DisableCapture(const Napi::CallbackInfo& info) {
  const Primary primary = info[0].As<Napi::Boolean>() ? Primary::gone : Primary::alive;
  return PromiseWorker<std::vector<std::string>>::run(
      info.Env(), [primary] { return capture ? capture->disable(primary) : std::vector<std::string>(); }, from_strings);
}

// finishCapture(isConfirmed): Promise<void>. notify() is not called after this call.
Napi::Value JS_FinishCapture(const Napi::CallbackInfo& info) {
  if (notifier) notifier->close();
  const auto quiet = info[0].As<Napi::Boolean>() ? Capture::Quiet::confirmed : Capture::Quiet::unconfirmed;
  return PromiseWorker<bool>::run(
      info.Env(),
      [quiet] {
        if (capture) capture->finish(quiet);
        return true;
      },
      [](Napi::Env env, const bool&) { return env.Undefined(); });
}

// freeCapture(): Promise<boolean>, which tells whether everything in the primary was freed.
Napi::Value JS_FreeCapture(const Napi::CallbackInfo& info) {
  return PromiseWorker<bool>::run(
      info.Env(), [] { return capture ? capture->free() : true; },
      [](Napi::Env env, const bool& freed) { return Napi::Boolean::New(env, freed); });
}

}  // namespace

void export_capture(Napi::Object exports) {
  add_function<JS_StartCapture>(exports, "startCapture");
  add_function<JS_CaptureStats>(exports, "captureStats");
  add_function<JS_GrowCapture>(exports, "growCapture");
  add_function<JS_SettleLanes>(exports, "settleLanes");
  add_function<JS_AbandonCapture>(exports, "abandonCapture");
  add_function<JS_DisableCapture>(exports, "disableCapture");
  add_function<JS_FreeCapture>(exports, "freeCapture");
  add_function<JS_FinishCapture>(exports, "finishCapture");
}
