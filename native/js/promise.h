// Runs a blocking native function off the JavaScript thread, on a thread of libuv's pool, and settles a promise with
// its result.
#pragma once
#include <napi.h>

#include <functional>
#include <optional>

#include "base/error.h"
#include "js/errors.h"

// `work` runs on a thread of libuv's pool and may throw dpcap::Error. `convert` runs on the JavaScript thread.
template <typename Result>
class PromiseWorker : public Napi::AsyncWorker {
 public:
  using Work = std::function<Result()>;
  using Convert = std::function<Napi::Value(Napi::Env, const Result&)>;

  static Napi::Value run(Napi::Env env, Work work, Convert convert) {
    auto* worker = new PromiseWorker(env, std::move(work), std::move(convert));
    Napi::Promise promise = worker->deferred_.Promise();
    worker->Queue();  // deletes itself when done
    return promise;
  }

 protected:
  void Execute() override {
    try {
      result_ = work_();
    } catch (const dpcap::Error& error) {
      error_ = error;
    } catch (const std::exception& error) {
      error_ = dpcap::Error("ERR_SYSTEM", error.what());
    }
  }

  void OnOK() override {
    if (error_) {
      deferred_.Reject(to_js_error(Env(), *error_).Value());
    } else {
      deferred_.Resolve(convert_(Env(), *result_));
    }
  }

 private:
  PromiseWorker(Napi::Env env, Work work, Convert convert)
      : Napi::AsyncWorker(env), deferred_(env), work_(std::move(work)), convert_(std::move(convert)) {}

  Napi::Promise::Deferred deferred_;
  Work work_;
  Convert convert_;
  std::optional<Result> result_;
  std::optional<dpcap::Error> error_;
};
