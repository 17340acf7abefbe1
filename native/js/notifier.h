// Tells JavaScript that there is something to look at: the Notify of base/notify.h leads here. Any thread.
#pragma once
#include <napi.h>

#include <memory>
#include <mutex>

class Notifier {
 public:
  // JavaScript thread. `function` is called without arguments and must not throw. The notifier does not keep the
  // process alive.
  static std::shared_ptr<Notifier> create(Napi::Env env, const Napi::Function& function);

  // Any thread; it never waits for JavaScript. Calls before JavaScript looks count as one. After close() it does
  // nothing, nor after the end of Node's environment, which native threads may outlive.
  void notify();
  // JavaScript thread. Also takes back a notification that JavaScript has not seen yet. Idempotent.
  void close();

 private:
  Notifier() = default;
  bool take();

  std::mutex mutex_;
  bool is_open_ = true;
  Napi::ThreadSafeFunction function_;
};
