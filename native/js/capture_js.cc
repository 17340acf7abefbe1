// The functions of a capture: start, stats, flush, grow, settle, files, disable, finish, free, abandon. A process may
// have several captures: each has a number.
#include <map>
#include <mutex>

#include "capture/capture.h"
#include "js/capture_source.h"
#include "js/convert.h"
#include "js/errors.h"
#include "js/exports.h"
#include "js/notifier.h"
#include "js/promise.h"

namespace {

using dpcap::Capture;
using dpcap::CapturePlan;
using dpcap::kMostCaptureNumber;
using dpcap::Notify;
using dpcap::Primary;

// One capture of this process; its number may be used again once it is freed. A call that is under way shares it.
struct Numbered {
  std::shared_ptr<Notifier> notifier;
  std::unique_ptr<Capture> capture;
  bool is_freed = false;
};

std::map<uint32_t, std::shared_ptr<Numbered>> captures;
std::mutex capture_made;  // held to make a capture, and to abandon all, which may come first
bool is_abandoned = false;

uint32_t number_of(const Napi::CallbackInfo& info) {
  if (!info[0].IsNumber()) throw Napi::TypeError::New(info.Env(), "Expected the number of a capture");
  return info[0].As<Napi::Number>();
}

// Returns nullptr when there is none of this number, or its start failed early.
std::shared_ptr<Numbered> find(const Napi::CallbackInfo& info) {
  const auto found = captures.find(number_of(info));
  return found == captures.end() ? nullptr : found->second;
}

std::shared_ptr<Capture> running(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Numbered> found = find(info);
  if (!found || !found->capture) throw Napi::Error::New(info.Env(), "no such capture was started");
  return {found, found->capture.get()};
}

std::shared_ptr<Numbered> add(const Napi::CallbackInfo& info) {
  const uint32_t number = number_of(info);
  if (number > kMostCaptureNumber) {
    throw Napi::RangeError::New(info.Env(), "Expected a number up to " + std::to_string(kMostCaptureNumber));
  }
  const std::shared_ptr<Numbered> found = find(info);
  if (found && !found->is_freed) throw Napi::Error::New(info.Env(), "this capture was already started");
  return captures[number] = std::make_shared<Numbered>();
}

// startCapture(number, plan, notify): Promise<void>. When it rejects, disableCapture, finishCapture and freeCapture
// must still be called.
Napi::Value JS_StartCapture(const Napi::CallbackInfo& info) {
  const CapturePlan plan = to_capture_plan(info[1].As<Napi::Object>());
  const MakeSource make_source = to_source(info[1].As<Napi::Object>(), plan, number_of(info));
  if (!info[2].IsFunction()) throw Napi::TypeError::New(info.Env(), "Expected notify to be a function");
  const std::shared_ptr<Numbered> added = add(info);
  added->notifier = Notifier::create(info.Env(), info[2].As<Napi::Function>());
  return PromiseWorker<bool>::run(
      info.Env(),
      [plan, make_source, added] {
        const Notify notify = [to = added->notifier] { to->notify(); };
        auto prepared = std::make_unique<Capture>(plan, make_source(notify), notify);
        {
          const std::lock_guard<std::mutex> lock(capture_made);
          added->capture = std::move(prepared);
          if (is_abandoned) added->capture->abandon();
        }
        added->capture->prepare();
        added->capture->enable();
        return true;
      },
      [](Napi::Env env, const bool&) { return env.Undefined(); });
}

// captureStats(number): returns the counters, and checks the lanes' ports as well.
Napi::Value JS_CaptureStats(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Capture> watched = running(info);
  watched->watch();
  return from_capture_stats(info.Env(), watched->stats());
}

// flushCapture(number): what was captured until now goes to the output.
Napi::Value JS_FlushCapture(const Napi::CallbackInfo& info) {
  running(info)->flush();
  return info.Env().Undefined();
}

// growCapture(number, pieces, upTo): Promise<boolean>, which tells whether there may be more mbufs.
Napi::Value JS_GrowCapture(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Capture> grown = running(info);
  const uint32_t pieces = info[1].As<Napi::Number>();
  const uint32_t up_to = info[2].As<Napi::Number>();
  return PromiseWorker<bool>::run(
      info.Env(), [grown, pieces, up_to] { return grown->grow(pieces, up_to); },
      [](Napi::Env env, const bool& has_room) { return Napi::Boolean::New(env, has_room); });
}

// settleLanes(number): Promise<string[]>, what people should hear of it.
Napi::Value JS_SettleLanes(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Capture> settled = running(info);
  return PromiseWorker<std::vector<std::string>>::run(
      info.Env(), [settled] { return settled->settle(); }, from_strings);
}

dpcap::FileSupply& files_of(const Napi::CallbackInfo& info, const std::shared_ptr<Capture>& capture) {
  dpcap::FileSupply* const files = capture->files();
  if (files == nullptr) throw Napi::Error::New(info.Env(), "this capture has one file");
  return *files;
}

// supplyFile(number, fd): hands over the next file of a capture that has several.
Napi::Value JS_SupplyFile(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Capture> supplied = running(info);
  files_of(info, supplied).supply(info[1].As<Napi::Number>());
  return info.Env().Undefined();
}

// refuseFile(number, errno): there will be no other file.
Napi::Value JS_RefuseFile(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Capture> supplied = running(info);
  files_of(info, supplied).refuse(info[1].As<Napi::Number>());
  return info.Env().Undefined();
}

// fileTurns(number): which files were begun and finished since the last call.
Napi::Value JS_FileTurns(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Capture> asked = running(info);
  return from_file_turns(info.Env(), files_of(info, asked).take_turns());
}

// abandonCaptures(): a call that takes or frees memory in the primary, or disables lanes, ends at its next piece of
// memory or lane, now and later, for every capture.
Napi::Value JS_AbandonCaptures(const Napi::CallbackInfo& info) {
  const std::lock_guard<std::mutex> lock(capture_made);
  is_abandoned = true;
  for (const auto& [number, one] : captures) {
    if (one->capture) one->capture->abandon();
  }
  return info.Env().Undefined();
}

// disableCapture(number, primary): Promise<string[]>, the lanes whose state is unknown.
Napi::Value JS_DisableCapture(const Napi::CallbackInfo& info) {
  const bool is_gone = info[1].As<Napi::String>().Utf8Value() == "gone";
  const Primary primary = is_gone ? Primary::gone : Primary::alive;
  const std::shared_ptr<Numbered> one = find(info);
  return PromiseWorker<std::vector<std::string>>::run(
      info.Env(),
      [primary, one] { return one && one->capture ? one->capture->disable(primary) : std::vector<std::string>(); },
      from_strings);
}

// finishCapture(number, primary): Promise<void>. notify() is not called once it has resolved; until then, files may be
// wanted.
Napi::Value JS_FinishCapture(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Numbered> one = find(info);
  const bool is_outside = info[1].As<Napi::String>().Utf8Value() == "outside";
  const auto quiet = is_outside ? Capture::Quiet::confirmed : Capture::Quiet::unconfirmed;
  return PromiseWorker<bool>::run(
      info.Env(),
      [quiet, one] {
        if (one && one->capture) one->capture->finish(quiet);
        return true;
      },
      [one](Napi::Env env, const bool&) {
        if (one && one->notifier) one->notifier->close();
        return env.Undefined();
      });
}

// freeCapture(number): Promise<boolean>, which tells whether everything in the primary was freed.
Napi::Value JS_FreeCapture(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Numbered> one = find(info);
  return PromiseWorker<bool>::run(
      info.Env(), [one] { return !one || !one->capture || one->capture->free(); },
      [one](Napi::Env env, const bool& freed) {
        if (one) one->is_freed = freed;
        return Napi::Boolean::New(env, freed);
      });
}

}  // namespace

void export_capture(Napi::Object exports) {
  add_function<JS_StartCapture>(exports, "startCapture");
  add_function<JS_CaptureStats>(exports, "captureStats");
  add_function<JS_FlushCapture>(exports, "flushCapture");
  add_function<JS_GrowCapture>(exports, "growCapture");
  add_function<JS_SettleLanes>(exports, "settleLanes");
  add_function<JS_SupplyFile>(exports, "supplyFile");
  add_function<JS_RefuseFile>(exports, "refuseFile");
  add_function<JS_FileTurns>(exports, "fileTurns");
  add_function<JS_AbandonCaptures>(exports, "abandonCaptures");
  add_function<JS_DisableCapture>(exports, "disableCapture");
  add_function<JS_FreeCapture>(exports, "freeCapture");
  add_function<JS_FinishCapture>(exports, "finishCapture");
}
