#include "core/circulation.h"

#include <algorithm>
#include <cstdint>
#include <random>

#include "tap.h"

using namespace dpcap;

namespace {

constexpr uint64_t kHz = 1'000'000'000;
constexpr uint64_t kMs = kHz / 1000;

// A drain of which is known how many packets a millisecond it can do in either circle, give or take `noise` of them.
struct Machine {
  double large;
  double small;
  double noise = 0;
  bool primary_limits_small = false;  // then it pauses there, and still gets no more
};

class Model {
 public:
  // Returns the share of the time in a small circle.
  double run(double seconds, double offered, const Machine& machine) {
    const auto steps = static_cast<uint64_t>(seconds * 1000);
    uint64_t small_steps = 0;
    std::uniform_real_distribution<double> noise(1 - machine.noise, 1 + machine.noise);
    for (uint64_t i = 0; i < steps; i++) {
      const bool small = circulation_.is_small();
      const double most = (small ? machine.small : machine.large) * noise(random_);
      const double found = std::min(offered, most);
      const double idle = small && machine.primary_limits_small ? 0.4 : 1 - found / most;
      now_ += kMs;
      const bool changed = circulation_.look(now_, static_cast<uint32_t>(found), static_cast<uint64_t>(idle * kMs));
      changes_ += changed;
      CHECK_ALL(changed == (circulation_.is_small() != small));
      small_steps += small;
    }
    return static_cast<double>(small_steps) / static_cast<double>(steps);
  }
  uint32_t changes() const { return changes_; }
  bool is_small() const { return circulation_.is_small(); }

 private:
  Circulation circulation_{kHz};
  std::mt19937 random_{1};
  uint64_t now_ = 1;
  uint32_t changes_ = 0;
};

// Packets a millisecond, as measured.
const Machine kNear{13000, 20000, 0.1};
const Machine kFar{13000, 8000, 0.1, true};

void easy_load_keeps_its_slack() {
  Model model;
  CHECK(model.run(20, 4000, kNear) == 0 && model.changes() == 0);
}

void small_where_it_is_faster() {
  Model model;
  CHECK(model.run(1, 30000, kNear) > 0.5 && model.is_small());
  CHECK(model.run(60, 30000, kNear) > 0.95);
  CHECK(model.run(10, 16000, kNear) > 0.9);  // more than a large circle can do, and the small one has time left
}

void large_where_it_is_not() {
  Model model;
  CHECK(model.run(60, 30000, kFar) < 0.005 && !model.is_small());
  Model equal;
  CHECK(equal.run(60, 30000, {1000, 1000, 0.1}) < 0.02 && !equal.is_small());
}

// A capture that gets faster by itself, while memory warms up: that is no gain of what was tried meanwhile.
void what_changes_by_itself() {
  Model model;
  double small = 0;
  for (double speed = 200; speed < 1000; speed *= 1.05) {
    small += model.run(0.02, 30000, {speed, speed});
    CHECK_ALL(model.changes() <= 2);
  }
  CHECK(small < 10 && !model.is_small());
  CHECK(model.run(10, 30000, {1000, 1000, 0.05}) < 0.05 && !model.is_small());
}

void follows_what_changes() {
  Model model;
  model.run(5, 30000, kNear);
  CHECK(model.is_small());
  CHECK(model.run(0.2, 3000, kNear) < 0.5 && !model.is_small());  // the load
  CHECK(model.run(10, 3000, kNear) == 0);
  model.run(10, 30000, kNear);
  CHECK(model.is_small());
  CHECK(model.run(0.2, 30000, kFar) < 0.5 && !model.is_small());  // the CPUs
  model.run(70, 30000, kFar);
  CHECK(!model.is_small());
  model.run(70, 30000, kNear);
  CHECK(model.is_small());
  CHECK(model.run(20, 30000, {25000, 20000, 0.1}) < 0.5 && !model.is_small());  // large is better now
}

// Whenever a flood ends, in the middle of a trial too, what comes then has slack again.
void floods_end() {
  for (int ms = 150; ms < 700; ms += 10) {
    for (const double offered : {0.0, 3000.0}) {
      Model model;
      model.run(ms / 1000.0, 30000, kNear);
      model.run(0.3, offered, kNear);
      CHECK_ALL(!model.is_small());
      CHECK_ALL(model.run(2, offered, kNear) == 0);
    }
  }
}

// A small circle that has become bad is left, also where it is not the primary that is slowed.
void small_becomes_bad() {
  Model model;
  model.run(100, 30000, kNear);
  CHECK(model.is_small());
  model.run(0.2, 30000, {13000, 8000, 0.1});
  CHECK(!model.is_small());
}

// A few rounds that took seconds (a stalled disk, a stopped process) are no flood.
void long_rounds() {
  Circulation circulation(kHz);
  uint64_t now = 1;
  for (int i = 0; i < 9; i++) CHECK(!circulation.look(now += 5 * kHz, 256, 0));
  CHECK(!circulation.look(now += kMs, 0, kMs));
  for (int i = 0; i < 100; i++) CHECK_ALL(!circulation.look(now += 20 * kMs, 0, 20 * kMs));
  CHECK(!circulation.is_small());
}

}  // namespace

void test_circulation() {
  easy_load_keeps_its_slack();
  small_where_it_is_faster();
  large_where_it_is_not();
  what_changes_by_itself();
  follows_what_changes();
  floods_end();
  small_becomes_bad();
  long_rounds();
}
