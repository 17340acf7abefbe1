#include "pdump/reader/stamp_clock.h"

#include <rte_version.h>

#include <algorithm>
#include <cstdlib>

#include "tap.h"

using dpcap::StampClock;
using dpcap::WallClock;

namespace {

constexpr uint64_t kHz = 2'600'000'000;
constexpr uint64_t kUs = kHz / 1'000'000;

// What a primary of 21.11 to 23.07 writes for a packet at `tsc`: ns on a base that is off by a constant.
uint64_t field_of(uint64_t tsc, uint64_t offset_ns) {
  return static_cast<uint64_t>(static_cast<__int128>(tsc) * 1'000'000'000 / kHz) + offset_ns;
}

int64_t error_us(const StampClock& clock, uint64_t field, uint64_t tsc) {
  return (static_cast<int64_t>(clock.arrival(field) - tsc)) / static_cast<int64_t>(kUs);
}

// Packets at random moments, each found up to `poll_us` later; returns the worst error once settled.
int64_t worst_error(uint64_t offset_ns, uint64_t poll_us) {
  StampClock clock(kHz, StampClock::Stamps::primary_ns);
  srand(1);
  uint64_t now = 1'000'000'000'000;
  int64_t worst = 0;
  for (int i = 0; i < 2000; i++) {
    const uint64_t empty = now;
    now += poll_us * kUs;
    const uint64_t arrived = empty + rand() % (poll_us * kUs);
    const uint64_t field = field_of(arrived, offset_ns);
    clock.observe(field, empty, now);
    if (i >= 50) worst = std::max<int64_t>(worst, std::llabs(error_us(clock, field, arrived)));
  }
  return worst;
}

// A machine whose clocks stand still, unless told.
uint64_t fake_tsc;
uint64_t fake_ns;

dpcap::TimeSource fake(uint64_t hz_told = kHz) {
  fake_tsc = 7'000'000'000'000;
  fake_ns = 1'700'000'000'000'000'000;
  return {hz_told, [] { return fake_tsc += 50; }, [] { return fake_ns; }};
}

void pass(uint64_t ms) {
  fake_tsc += ms * 1000 * kUs;
  fake_ns += ms * 1'000'000;
}

int64_t error_ns(const WallClock& clock) { return static_cast<int64_t>(clock.to_ns(fake_tsc) - fake_ns); }

// By half a per cent, as DPDK before 24.11 has it: corrected once a rate was measured, and no step.
void follows_a_wrong_frequency() {
  WallClock clock(fake(kHz / 1000 * 1005));
  for (int i = 0; i < 20; i++) {
    pass(11);
    CHECK_ALL(!clock.refresh(fake_tsc));
    CHECK_ALL(std::llabs(error_ns(clock)) < 1000);
  }
  pass(100);
  CHECK(std::llabs(error_ns(clock)) < 10'000 && clock.steps_ns() == 0);  // 500 us without the correction
  // A drain that could not look for seconds, and a clock that is slewed as fast as NTP does.
  pass(5000);
  CHECK(!clock.refresh(fake_tsc));
  for (int i = 0; i < 100; i++) {
    pass(100);
    fake_ns += 50'000;
    CHECK_ALL(!clock.refresh(fake_tsc));
    CHECK_ALL(std::llabs(error_ns(clock)) < 1000);
  }
}

// Back, a day forward and back again: right within a tenth of a second, and the steady time knows nothing of it.
void follows_steps() {
  constexpr int64_t kHour = 3'600'000'000'000, kDay = 24 * kHour;
  WallClock clock(fake());
  uint64_t steady = clock.to_steady_ns(fake_tsc);
  int64_t total = 0;
  for (const int64_t step : {int64_t{0}, -kHour, kDay, -kDay, int64_t{-20'000'000}, int64_t{2'000'000'000}}) {
    fake_ns += static_cast<uint64_t>(step);
    total += step;
    int told = 0;
    for (int i = 0; i < 10; i++) {
      pass(101);
      told += clock.refresh(fake_tsc);
      CHECK_ALL(std::llabs(error_ns(clock)) < 1000);
      const uint64_t now = clock.to_steady_ns(fake_tsc);
      CHECK_ALL(std::llabs(static_cast<int64_t>(now - steady) - 101'000'000) < 1000);
      steady = now;
    }
    CHECK(told == (step != 0) && std::llabs(clock.steps_ns() - total) < 10'000);
  }
}

// However late a thread looks: what one has learnt, the others have as well.
void all_threads_agree() {
  dpcap::SharedClock shared(fake(kHz / 1000 * 1005), StampClock::Stamps::primary_ns);
  const WallClock early = shared.wall(fake_tsc);
  pass(20);
  const WallClock one = shared.wall(fake_tsc);
  const WallClock other = shared.wall(fake_tsc);
  CHECK(one.to_ns(fake_tsc) == other.to_ns(fake_tsc) && early.to_ns(fake_tsc) != one.to_ns(fake_tsc));
  fake_ns -= 5'000'000'000;
  pass(20);
  shared.wall(fake_tsc);
  CHECK(shared.steps().count == 1 && std::llabs(shared.steps().total_ns + 5'000'000'000) < 200'000);
}

// From 23.11 on the stamp is the TSC itself: nothing has to be learnt.
void raw_stamps() {
  StampClock clock(kHz, StampClock::Stamps::raw_tsc);
  CHECK(clock.is_settled(1) && clock.uncertainty() == 0);
  clock.observe(123, 100, 200);
  CHECK(clock.arrival(123) == 123 && clock.arrival(456) == 456);
}

}  // namespace

void test_stamp_clock() {
  raw_stamps();
#if RTE_VERSION < RTE_VERSION_NUM(23, 11, 0, 0)
  // The known constant of 22.11 at 2.6 GHz: 2^64 cycles, 224.8 years.
  const uint64_t wrap_ns = static_cast<uint64_t>((static_cast<__int128>(1) << 64) * 1'000'000'000 / kHz);
  CHECK(worst_error(0, 1000) < 50);
  CHECK(worst_error(wrap_ns, 1000) < 50);
  CHECK(worst_error(wrap_ns, 100) < 10);

  // One packet alone is known to half of the time in which it may have come.
  StampClock one(kHz, StampClock::Stamps::primary_ns);
  const uint64_t t0 = 5'000'000'000'000;
  CHECK(!one.is_settled(1000 * kUs));
  one.observe(field_of(t0, wrap_ns), t0 - 300 * kUs, t0 + 100 * kUs);
  CHECK(std::llabs(error_us(one, field_of(t0, wrap_ns), t0)) <= 200);
  CHECK(one.is_settled(401 * kUs) && !one.is_settled(399 * kUs));

  // The base jumps by a second (two polling threads updated it at once): the bracket begins anew.
  const uint64_t t1 = t0 + 10 * kHz;
  one.observe(field_of(t1, wrap_ns + 1'000'000'000), t1 - 20 * kUs, t1 + 20 * kUs);
  CHECK(std::llabs(error_us(one, field_of(t1, wrap_ns + 1'000'000'000), t1)) <= 20);

  // A thread of the primary is preempted for 5 ms between stamp and ring: later packets are not dragged along.
  StampClock late(kHz, StampClock::Stamps::primary_ns);
  late.observe(field_of(t0, 0), t0 - 10 * kUs, t0 + 10 * kUs);
  late.observe(field_of(t0 + 1000 * kUs, 0), t0 + 5000 * kUs, t0 + 6010 * kUs);
  CHECK(std::llabs(error_us(late, field_of(t0 + 7000 * kUs, 0), t0 + 7000 * kUs)) <= 20);
#endif

  follows_a_wrong_frequency();
  follows_steps();
  all_threads_agree();
}
