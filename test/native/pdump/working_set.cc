#include "pdump/memory/working_set.h"

#include <algorithm>
#include <cstdint>
#include <random>

#include "tap.h"

using namespace dpcap;

namespace {

constexpr uint64_t kHz = 1'000'000'000;
constexpr uint64_t kMs = kHz / 1000;

// A capture of which is known how many packets a millisecond come through in either circle, give or take `noise` of
// them.
struct Machine {
  double large;
  double small;
  double noise = 0;
  bool primary_limits_small = false;  // then it pauses there, and still gets no more
  bool primary_limits = false;        // in either circle
};

class Model {
 public:
  // Returns the share of the time in a small circle.
  double run(double seconds, double offered, const Machine& machine) {
    const auto steps = static_cast<uint64_t>(seconds * 1000);
    uint64_t small_steps = 0;
    std::uniform_real_distribution<double> noise(1 - machine.noise, 1 + machine.noise);
    for (uint64_t i = 0; i < steps; i++) {
      const bool small = working_set_.is_small();
      const double most = (small ? machine.small : machine.large) * noise(random_);
      const double found = std::min(offered, most);
      const bool primary_limits = machine.primary_limits || (small && machine.primary_limits_small);
      step(1, found, primary_limits ? 0.75 : 1 - found / most);
      small_steps += small;
    }
    return static_cast<double>(small_steps) / static_cast<double>(steps);
  }
  // A round that ended `ms` after the one before.
  void step(uint64_t ms, double found, double idle = 1) {
    now_ += ms * kMs;
    const bool small = working_set_.is_small();
    const auto paused = static_cast<uint64_t>(idle * static_cast<double>(ms * kMs));
    working_set_.look(now_, static_cast<uint32_t>(found), paused);
    changes_ += working_set_.is_small() != small;
  }
  uint32_t changes() const { return changes_; }
  bool is_small() const { return working_set_.is_small(); }
  const WorkingSet& circulation() const { return working_set_; }

 private:
  WorkingSet working_set_{kHz};
  std::mt19937 random_{1};
  uint64_t now_ = 1;
  uint32_t changes_ = 0;
};

// Packets a millisecond, as measured.
const Machine kNear{13000, 20000, 0.1};
const Machine kFar{13000, 8000, 0.1, true};

constexpr uint32_t kLongestSleepUs = 5461;

// Nothing is known of the machine's stalls at first; then of those of late.
void slack_for_the_longest_pause() {
  Model model;
  model.run(120, 1000, kNear);
  CHECK(model.circulation().circle(kLongestSleepUs).free <= 32 * 1024);
  model.step(40, 40000);
  model.run(0.02, 1000, kNear);
  CHECK(model.circulation().circle(kLongestSleepUs).free >= 78000);
  model.run(10, 1000, kNear);
  CHECK(model.circulation().circle(kLongestSleepUs).free >= 40000);
  model.run(60, 1000, kNear);
  CHECK(model.circulation().circle(kLongestSleepUs).free <= 32 * 1024);
}

// At any rate there are as many as come in while the drain sleeps, were it a burst; and where there are many packets it
// sleeps less.
void slack_for_a_burst() {
  for (const double rate : {0.0, 1.0, 10.0, 100.0, 1000.0, 4000.0, 12000.0}) {
    Model model;
    model.run(30, rate, {20000, 20000});
    const uint32_t sleep_us = std::min(kLongestSleepUs, model.circulation().sleep_us());
    CHECK(model.circulation().circle(kLongestSleepUs).free >= 12 * sleep_us || model.is_small());
    CHECK(rate < 1000 || sleep_us <= 2100);
  }
}

void easy_load_keeps_its_slack() {
  Model model;
  CHECK(model.run(100, 4000, kNear) < 0.02 && !model.is_small());
  CHECK(model.circulation().circle(kLongestSleepUs).free >= 32000);
}

// Nothing that keeps up is put at risk for a trial while the machine stalls now and then.
void no_trial_among_stalls() {
  Model model;
  model.step(1, 0);
  for (int i = 0; i < 200; i++) {
    model.step(12, 4000 * 12);
    model.run(0.3, 4000, kNear);
  }
  CHECK(model.changes() == 0);
  CHECK(model.circulation().circle(kLongestSleepUs).free >= 4000 * 23);
}

// The primary copies as fast as it can, and the drain sleeps most of the time.
void small_for_the_primary() {
  Model model;
  CHECK(model.run(1, 30000, {3400, 12000, 0.1, true, true}) > 0.5 && model.is_small());
  CHECK(model.run(60, 30000, {3400, 12000, 0.1, true, true}) > 0.95);
  Model equal;
  CHECK(equal.run(100, 30000, {3400, 3400, 0.1, true, true}) < 0.02);
}

// A machine that stalls now and then for as long as the present packets can bear: a trial that a stall falls into
// counts without it.
void small_for_the_primary_among_stalls() {
  const Machine machine{7500, 12000, 0.1, true, true};
  Model model;
  double small = 0;
  for (int i = 0; i < 30; i++) {
    model.step(3, 3 * 7500, 0.75);
    small += model.run(0.3, 30000, machine) / 30;
  }
  CHECK(small > 0.7 && model.is_small());
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
  CHECK(model.run(10, 3000, kNear) < 0.1);
  model.run(10, 30000, kNear);
  CHECK(model.is_small());
  CHECK(model.run(0.2, 30000, kFar) < 0.5 && !model.is_small());  // the CPUs
  model.run(70, 30000, kFar);
  CHECK(!model.is_small());
  model.run(70, 30000, kNear);
  CHECK(model.is_small());
  CHECK(model.run(20, 30000, {25000, 20000, 0.1}) < 0.5 && !model.is_small());  // large is better now
}

// Whenever a flood ends, in the middle of a trial too, what comes then has slack again, within about a second.
void floods_end() {
  for (int ms = 150; ms < 700; ms += 10) {
    for (const double offered : {0.0, 3000.0}) {
      Model model;
      model.run(ms / 1000.0, 30000, kNear);
      model.run(0.3, offered, kNear);
      CHECK_ALL(model.run(2, offered, kNear) <= (offered == 0 ? 0 : 0.5));
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
  Model model;
  for (int i = 0; i < 9; i++) model.step(5000, 256, 0);
  model.step(1, 0);
  for (int i = 0; i < 100; i++) model.step(20, 0);
  CHECK(model.changes() == 0 && !model.is_small());
}

}  // namespace

void test_working_set() {
  slack_for_the_longest_pause();
  slack_for_a_burst();
  easy_load_keeps_its_slack();
  no_trial_among_stalls();
  small_for_the_primary();
  small_for_the_primary_among_stalls();
  small_where_it_is_faster();
  large_where_it_is_not();
  what_changes_by_itself();
  follows_what_changes();
  floods_end();
  small_becomes_bad();
  long_rounds();
}
