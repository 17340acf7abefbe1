// A thread of the application that is halted inside the callback holds up the packets of others for a moment, not for
// ever.
#include <chrono>
#include <thread>

#include "agent/data_path_scene.h"
#include "base/now.h"

using namespace data_path;

namespace {

constexpr auto kMostWait = std::chrono::seconds(10);

// Drains until so many packets are out; false when they do not come.
bool arrive(Engine& engine, uint64_t packets) {
  const auto deadline = std::chrono::steady_clock::now() + kMostWait;
  while (engine.books.ledger[0].recorded + engine.books.ledger[1].recorded < packets) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    engine.drain(More::may_come);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace

void test_agent_halted_thread() {
  TemporaryFile file;
  Application application(8 << 20);
  Engine engine(application, fcntl(file.fd, F_DUPFD_CLOEXEC, 0), 0);
  stream &halted = application.streams[0], &other = application.streams[1];
  Burst32 burst(60);
  const uint64_t begin = now_ns(CLOCK_MONOTONIC);
  burst.take(halted, begin);
  __atomic_store_n(&halted.shared->is_inside, 1, __ATOMIC_RELEASE);
  burst.take(other, begin + 1000);
  engine.drain(More::may_come);
  CHECK(engine.books.ledger[1].recorded == 0);  // the one inside may be about to publish what came before
  CHECK(arrive(engine, uint64_t{2} * kBurst));

  // It goes on: what it had begun comes late, and nothing is lost.
  burst.take(halted, begin + 500);
  __atomic_store_n(&halted.shared->is_inside, 0, __ATOMIC_RELEASE);
  CHECK(arrive(engine, uint64_t{3} * kBurst));
  engine.end();
  const Seen seen = seen_in(file);
  CHECK(seen.numbers.size() == burst.taken() && !seen.is_in_order);
}
