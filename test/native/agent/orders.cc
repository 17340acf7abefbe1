// The agent's clock, and its reading of what a client asks for.
extern "C" {
#include "agent/library/clock.h"
#include "agent/library/dpdk.h"
#include "agent/library/session.h"
}

#include <rte_cycles.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "base/now.h"
#include "ethdev_events.h"
#include "tap.h"

namespace {

constexpr uint32_t kQueues = 2;

// One port, as far as a session asks for it.
void fake_ethdev() {
  dpdk.is_valid_port = [](uint16_t port) { return port == 0 ? 1 : 0; };
  dpdk.port_name = [](uint16_t, char* name) {
    strcpy(name, "test0");
    return 0;
  };
  dpdk.port_info = [](uint16_t, rte_eth_dev_info* info) {
    memset(static_cast<void*>(info), 0, sizeof *info);
    info->nb_rx_queues = info->nb_tx_queues = kQueues;
    return 0;
  };
  dpdk.on_event = keep_event_callback;
}

std::vector<uint8_t> order(uint32_t lanes, uint32_t instructions) {
  dpcap_agent_prepare head{1 << 20, DPCAP_AGENT_PCAP, 1, 262144, lanes, instructions, 0};
  std::vector<uint8_t> bytes(sizeof head + lanes * sizeof(dpcap_agent_lane) + instructions * 8);
  memcpy(bytes.data(), &head, sizeof head);
  for (uint32_t i = 0; i < lanes; i++) {
    dpcap_agent_lane lane{};
    lane.queue = static_cast<uint16_t>(i % kQueues);
    lane.direction = i % 2 == 0 ? DPCAP_AGENT_RX : DPCAP_AGENT_TX;
    strcpy(lane.device, "test0");
    memcpy(bytes.data() + sizeof head + i * sizeof lane, &lane, sizeof lane);
  }
  return bytes;
}

int prepare(const std::vector<uint8_t>& bytes) {
  int err = 0;
  session* const made = session_prepare(bytes.data(), bytes.size(), &err);
  if (made != nullptr) session_free(made);
  return made == nullptr ? err : 0;
}

template <typename T>
std::vector<uint8_t> with(std::vector<uint8_t> bytes, size_t at, T value) {
  memcpy(bytes.data() + at, &value, sizeof value);
  return bytes;
}

void test_orders() {
  const std::vector<uint8_t> good = order(4, 3);
  const size_t lane = sizeof(dpcap_agent_prepare);
  CHECK(prepare(good) == 0);
  CHECK(prepare(with(good, lane + offsetof(dpcap_agent_lane, port), uint16_t{1})) == ENODEV);
  CHECK(prepare(with(good, lane + offsetof(dpcap_agent_lane, queue), uint16_t{kQueues})) == ENODEV);
  CHECK(prepare(with(good, lane + offsetof(dpcap_agent_lane, device), uint8_t{'x'})) == ENODEV);
  CHECK(prepare(with(good, lane + offsetof(dpcap_agent_lane, direction), uint32_t{3})) == EINVAL);
  CHECK(prepare(with(good, offsetof(dpcap_agent_prepare, lane_count), uint32_t{0x10000004})) == EINVAL);
  CHECK(prepare(with(good, offsetof(dpcap_agent_prepare, rx_instructions), uint32_t{0xffffffff})) == EINVAL);
  CHECK(prepare(with(good, offsetof(dpcap_agent_prepare, memory_bytes), UINT64_MAX)) == EINVAL);
  for (size_t size = 0; size < good.size(); size++)
    CHECK_ALL(prepare({good.begin(), good.begin() + static_cast<long>(size)}) == EINVAL);
}

void test_fuzzed_orders() {
  std::mt19937 random(19);
  int accepted = 0;
  for (int i = 0; i < 5000; i++) {
    std::vector<uint8_t> bytes = order(1 + random() % 4, random() % 4);
    // Not the amount of memory, which would be made.
    for (uint32_t flips = random() % 4; flips > 0; flips--)
      bytes[8 + random() % (bytes.size() - 8)] ^= 1u << random() % 8;
    accepted += prepare(bytes) == 0;
  }
  CHECK(accepted > 0);
}

std::vector<uint8_t> programs(uint32_t rx, uint32_t tx) {
  const dpcap_agent_programs head{rx, tx};
  std::vector<uint8_t> bytes(sizeof head + (rx + tx) * 8);
  memcpy(bytes.data(), &head, sizeof head);
  return bytes;
}

void test_other_filters() {
  int err = 0;
  const std::vector<uint8_t> bytes = order(4, 3);
  session* const made = session_prepare(bytes.data(), bytes.size(), &err);
  const auto change = [&](const std::vector<uint8_t>& body) { return session_filter(made, body.data(), body.size()); };
  CHECK(change(programs(2, 5)) == 0);
  CHECK(change(programs(0, 0)) == 0);  // all packets; nobody is in those before
  CHECK(change(programs(1, 1)) == 0);
  CHECK(change({}) == EINVAL);
  CHECK(change(with(programs(1, 1), 0, uint32_t{0xffffffff})) == EINVAL);
  dpcap_agent_status status;
  session_describe(made, &status);
  CHECK(status.state == DPCAP_AGENT_PREPARED && status.lanes == 4 && status.snaplen == 262144);
  CHECK(status.memory_bytes >= 1 << 20 && status.accepted == 0);
  session_free(made);
}

// What EAL does, which is not here.
uint64_t measured_hz() {
  const timespec pause{0, 20'000'000};
  const uint64_t cycles = rte_rdtsc(), ns = dpcap::now_ns(CLOCK_MONOTONIC);
  nanosleep(&pause, nullptr);
  return (rte_rdtsc() - cycles) * 1'000'000'000 / (dpcap::now_ns(CLOCK_MONOTONIC) - ns);
}

// How far the clock is from the time, ns.
int64_t clock_error() {
  const uint64_t before = dpcap::now_ns(CLOCK_MONOTONIC);
  const clock_time time = clock_at(rte_rdtsc());
  const uint64_t after = dpcap::now_ns(CLOCK_MONOTONIC);
  if (time.steady_ns < before) return static_cast<int64_t>(time.steady_ns - before);
  return time.steady_ns > after ? static_cast<int64_t>(time.steady_ns - after) : 0;
}

void run_ahead(uint64_t hz) {
  clock_rest();
  clock_renew(hz / 2);
  while (clock_error() < 100'000'000) {
  }
}

void test_clock_that_is_ahead(uint64_t hz) {
  run_ahead(hz);
  clock_renew(hz);
  const uint64_t began = dpcap::now_ns(CLOCK_MONOTONIC), told = clock_at(rte_rdtsc()).steady_ns;
  const timespec pause{0, 10'000'000};
  nanosleep(&pause, nullptr);
  const uint64_t passed = dpcap::now_ns(CLOCK_MONOTONIC) - began;
  CHECK(clock_at(rte_rdtsc()).steady_ns - told < passed / 2);
}

void test_clock_that_rested(uint64_t hz) {
  run_ahead(hz);
  clock_rest();
  clock_renew(hz);
  CHECK(clock_error() < 1'000'000);
}

}  // namespace

void test_agent_orders() {
  fake_ethdev();
  test_orders();
  test_fuzzed_orders();
  test_other_filters();
}

void test_agent_clock() {
  using dpcap::now_ns;
  const uint64_t hz = measured_hz();
  bool never_back = true, always_near = true;
  uint64_t last = 0;
  for (int i = 0; i < 2000; i++) {
    if (i % 20 == 0) clock_renew(hz);
    const uint64_t before = now_ns(CLOCK_MONOTONIC);
    const clock_time time = clock_at(rte_rdtsc());
    const uint64_t after = now_ns(CLOCK_MONOTONIC);
    never_back &= time.steady_ns >= last;
    last = time.steady_ns;
    // The first frequency is not exact, and the thread may be interrupted anywhere.
    always_near &= time.steady_ns + 1'000'000 > before && time.steady_ns < after + 1'000'000;
    const timespec pause{0, 50'000};
    nanosleep(&pause, nullptr);
  }
  CHECK(never_back);
  CHECK(always_near);
  test_clock_that_is_ahead(hz);
  test_clock_that_rested(hz);
}
