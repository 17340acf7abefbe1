#include "core/clock.h"

#include <rte_cycles.h>
#include <rte_version.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

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
  StampClock clock(kHz);
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

}  // namespace

void test_clock() {
#if RTE_VERSION < RTE_VERSION_NUM(23, 11, 0, 0)
  // The known constant of 22.11 at 2.6 GHz: 2^64 cycles, 224.8 years.
  const uint64_t wrap_ns = static_cast<uint64_t>((static_cast<__int128>(1) << 64) * 1'000'000'000 / kHz);
  CHECK(worst_error(0, 1000) < 50);
  CHECK(worst_error(wrap_ns, 1000) < 50);
  CHECK(worst_error(wrap_ns, 100) < 10);

  // One packet alone is known to half of the time in which it may have come.
  StampClock one(kHz);
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
  StampClock late(kHz);
  late.observe(field_of(t0, 0), t0 - 10 * kUs, t0 + 10 * kUs);
  late.observe(field_of(t0 + 1000 * kUs, 0), t0 + 5000 * kUs, t0 + 6010 * kUs);
  CHECK(std::llabs(error_us(late, field_of(t0 + 7000 * kUs, 0), t0 + 7000 * kUs)) <= 20);
#endif

  // A frequency that is wrong by half a per cent, as DPDK before 24.11 has it: corrected once a rate was measured.
  timespec start;
  clock_gettime(CLOCK_MONOTONIC, &start);
  const uint64_t tsc0 = rte_get_tsc_cycles();
  const timespec pause = {0, 200'000'000};
  nanosleep(&pause, nullptr);
  timespec end;
  clock_gettime(CLOCK_MONOTONIC, &end);
  const double seconds = end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9;
  const double hz = (rte_get_tsc_cycles() - tsc0) / seconds;
  WallClock wall(static_cast<uint64_t>(hz * 1.005));
  nanosleep(&pause, nullptr);
  wall.refresh(rte_get_tsc_cycles());
  const uint64_t ahead = rte_get_tsc_cycles() + static_cast<uint64_t>(hz / 10);
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const int64_t expected = now.tv_sec * 1'000'000'000ll + now.tv_nsec + 100'000'000;
  CHECK(std::llabs(static_cast<int64_t>(wall.to_ns(ahead)) - expected) < 200'000);  // 500 us without the correction
}
