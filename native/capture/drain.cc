#include "capture/drain.h"

#include <pthread.h>
#include <sys/prctl.h>

#include <algorithm>
#include <utility>

#include "base/now.h"

namespace dpcap {
namespace {

constexpr uint32_t kBusyBurst = 256;

}  // namespace

Drain::Drain(std::unique_ptr<Poller> poller, Sink& sink, size_t threads)
    : poller_(std::move(poller)),
      sink_(sink),
      busy_(std::min(kBusyBurst, sink.burst_size())),
      backoff_(poller_->room(), threads) {}

Drain::~Drain() { stop(); }

void Drain::start(Priority priority) {
  thread_ = std::thread([this, priority] {
    set_priority(priority);
    run();
  });
}

void Drain::stop() {
  if (!thread_.joinable()) return;
  stop_ = true;
  thread_.join();
}

void Drain::run() {
  pthread_setname_np(pthread_self(), "dpcap-drain");
  prctl(PR_SET_TIMERSLACK, 1);
  sink_.enter();
  poller_->begin();
  // Acquire: whoever sees the end also sees every copy that the application made before it stopped copying.
  while (!stop_.load(std::memory_order_acquire)) pause(round(More::may_come));
  // This is bounded, for the case that a lane could not be disabled and the application goes on copying.
  for (uint64_t drained = 0; drained < 2ull * poller_->most_room();) {
    const Round last = round(More::none);
    if (last.found == 0 && poller_->is_empty()) break;
    drained += last.found;
  }
  sink_.flush();
  sink_.leave();
}

Drain::Round Drain::round(More more) {
  Round round{};
  round.found = poller_->poll();
  round.handled = poller_->deliver(more);
  sink_.tick(now_ns(CLOCK_MONOTONIC_COARSE), poller_->complete_ns());
  return round;
}

void Drain::pause(const Round& round) {
  // A round may find nothing because there is no room. It then handles what is there, and that makes room.
  const bool is_busy = std::max(round.found, round.handled) >= busy_;
  poller_->before_pause(is_busy);
  if (is_busy) {
    backoff_.go_on();
  } else if (round.found + round.handled != 0) {
    backoff_.sleep(poller_->longest_sleep_us());
  } else {
    backoff_.sleep_idle(poller_->longest_sleep_us());
  }
  poller_->after_pause(backoff_.sleep_us());
}

}  // namespace dpcap
