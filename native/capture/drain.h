// The drain thread: has a poller pass on what comes, round by round, and sleeps in between.
//
// Everything here but start() and stop() runs on the thread "dpcap-drain", which has no lcore id: mempool caches are
// shared memory indexed by lcore id, and a thread without one uses none.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include "base/thread.h"
#include "capture/poll_backoff.h"
#include "capture/source.h"
#include "sink/sink.h"

namespace dpcap {

class Drain {
 public:
  // `poller` was made for `sink`. `threads`: how many drain threads the capture has.
  Drain(std::unique_ptr<Poller> poller, Sink& sink, size_t threads);
  ~Drain();
  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;

  void start(Priority priority);
  // Takes what is left and ends the thread. Call it after the application stopped copying. Idempotent.
  void stop();

 private:
  // The result of one look at every lane.
  struct Round {
    uint32_t found;
    uint32_t handled;  // packets that had been held back included
  };

  void run();
  Round round(More more);
  void pause(const Round& round);

  const std::unique_ptr<Poller> poller_;
  Sink& sink_;
  const uint32_t busy_;  // after a round of so many packets the next one follows without a pause
  PollBackoff backoff_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace dpcap
