// Tells JavaScript, from any thread, that there is something to look at: what core/notify.h leads to.
#pragma once
#include <napi.h>

#include <memory>
#include <mutex>

class Notifier {
 public:
  // JavaScript thread. `function` is called without arguments, and may not throw. It does not keep the process alive.
  static std::shared_ptr<Notifier> create(Napi::Env env, const Napi::Function& function);

  // Any thread; never waits for JavaScript. What is told before JavaScript looks is told once. Nothing after close(),
  // and nothing after the end of Node's environment, which threads of ours may outlive.
  void notify();
  // JavaScript thread: also takes back what JavaScript has not seen yet. Idempotent.
  void close();

 private:
  Notifier() = default;
  bool take();

  std::mutex mutex_;
  bool is_open_ = true;
  Napi::ThreadSafeFunction function_;
};
