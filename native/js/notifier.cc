#include "js/notifier.h"

#include <utility>

std::shared_ptr<Notifier> Notifier::create(Napi::Env env, const Napi::Function& function) {
  constexpr size_t kQueued = 1;
  constexpr size_t kThreads = 1;  // stands for all native threads: the lock keeps them off a function that is gone
  const std::shared_ptr<Notifier> self(new Notifier);
  // Node calls the finalizer before it frees the function, after close() or when the environment ends.
  self->function_ = Napi::ThreadSafeFunction::New(env, function, "dpcap.notify", kQueued, kThreads,
                                                  [self](Napi::Env) { self->take(); });
  self->function_.Unref(env);
  return self;
}

void Notifier::notify() {
  const std::lock_guard lock(mutex_);
  if (is_open_) function_.NonBlockingCall();  // a full queue says the same already
}

void Notifier::close() {
  if (take()) function_.Abort();
}

// Closes the notifier. Returns whether it was open.
bool Notifier::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(is_open_, false);
}
