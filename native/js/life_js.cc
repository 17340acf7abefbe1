// The ends of processes: the end of the primary is noticed at once, and that of this process waits for no thread.
#include <sys/prctl.h>
#include <unistd.h>

#include "js/errors.h"
#include "js/exports.h"
#include "js/notifier.h"
#include "primary/life/watch.h"

namespace {

using dpcap::PrimaryWatch;

// watchPrimary(runtimeDir, pid, onEnd): returns a function that ends the watch.
Napi::Value JS_WatchPrimary(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsString() || !info[1].IsNumber() || !info[2].IsFunction()) {
    throw Napi::TypeError::New(env, "Expected a directory, a pid and a function");
  }
  const std::shared_ptr<Notifier> notifier = Notifier::create(env, info[2].As<Napi::Function>());
  std::shared_ptr<PrimaryWatch> watch;
  try {
    watch = std::make_shared<PrimaryWatch>(
        dpcap::WatchedPrimary{info[0].As<Napi::String>(), info[1].As<Napi::Number>().Int32Value()},
        [notifier] { notifier->notify(); });
  } catch (const dpcap::Error& error) {
    notifier->close();
    throw to_js_error(env, error);
  }
  return Napi::Function::New(env, [watch, notifier](const Napi::CallbackInfo&) mutable {
    notifier->close();
    watch.reset();
  });
}

// dieWithParent(signal)
Napi::Value JS_DieWithParent(const Napi::CallbackInfo& info) {
  prctl(PR_SET_PDEATHSIG, info[0].As<Napi::Number>().Int32Value());
  return info.Env().Undefined();
}

// endAtOnce(code): ends this process without the shutdown of Node and of the libraries, which waits for every thread
// that is still at work.
Napi::Value JS_EndAtOnce(const Napi::CallbackInfo& info) {
  if (!info[0].IsNumber()) throw Napi::TypeError::New(info.Env(), "Expected an exit code");
  _exit(info[0].As<Napi::Number>().Int32Value());
}

}  // namespace

void export_life(Napi::Object exports) {
  add_function<JS_WatchPrimary>(exports, "watchPrimary");
  add_function<JS_DieWithParent>(exports, "dieWithParent");
  add_function<JS_EndAtOnce>(exports, "endAtOnce");
}
