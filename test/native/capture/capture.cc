// A capture on a source of the test's: what becomes of packets, in which order things are given back.
#include "capture/capture.h"

#include <fcntl.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "fake_source.h"
#include "tap.h"
#include "temporary_file.h"

using namespace dpcap;

namespace {

constexpr size_t kRecord = 16 + FakePoller::kPacketBytes;
constexpr size_t kHeader = 24;

CapturePlan plan_for(int fd, uint32_t lanes = 1, uint32_t threads = 1) {
  CapturePlan plan{};
  for (uint32_t i = 0; i < lanes; i++) {
    plan.lanes.push_back({{"test0", 0, static_cast<uint16_t>(i), Direction::rx}, 0, i % threads});
  }
  plan.interfaces = {{"test0", "", ""}};
  plan.file = {FileFormat::pcap, true, 262144};
  plan.sink = {fd, {}, 0, {}};
  plan.threads = threads;
  return plan;
}

// A capture with its source, from a plan.
struct Running {
  explicit Running(const CapturePlan& plan)
      : arrivals(plan.lanes.size()),
        own(new FakeSource(arrivals, calls)),
        capture(plan, std::unique_ptr<Source>(own), [this] { told++; }) {}

  void start() {
    capture.prepare();
    capture.enable();
  }
  void end(Capture::Quiet quiet = Capture::Quiet::confirmed) {
    capture.disable(Primary::alive);
    capture.finish(quiet);
  }
  Balance balance(size_t lane = 0) const { return capture.stats().lanes[lane].balance; }
  void wait_until_written(uint64_t packets) const {
    while (balance().written < packets) std::this_thread::yield();
  }

  Arrivals arrivals;
  std::vector<std::string> calls;
  std::atomic<int> told{0};
  FakeSource* own;
  Capture capture;
};

// All that came is in the file, in order of what was asked for, and the books are even.
void whole_run(uint32_t lanes, uint32_t threads) {
  TemporaryFile file;
  Running run(plan_for(file.fd, lanes, threads));
  run.start();
  for (uint32_t lane = 0; lane < lanes; lane++) run.arrivals.arrive(lane, 1000 + lane);
  run.end();
  CHECK(run.capture.free());
  CHECK(run.calls == (std::vector<std::string>{"prepare", "enable", "open", "disable", "release"}));
  size_t all = 0;
  for (uint32_t lane = 0; lane < lanes; lane++) {
    const Balance balance = run.balance(lane);
    CHECK(balance.written == 1000 + lane && balance.bytes == balance.written * FakePoller::kPacketBytes);
    CHECK(balance.on_their_way() == 0);
    all += balance.written;
  }
  CHECK(file.size() == kHeader + all * kRecord && run.told == 0);
}

// Exactly as many as asked for, and what comes after is surplus.
void packet_limit() {
  TemporaryFile file;
  CapturePlan plan = plan_for(file.fd);
  plan.packet_limit = 250;
  Running run(plan);
  run.start();
  run.arrivals.arrive(0, 1000);
  while (run.told == 0) std::this_thread::yield();
  CHECK(run.capture.stats().limit_reached);
  run.end();
  const Balance balance = run.balance();
  CHECK(balance.written == 250 && balance.surplus == 750 && balance.on_their_way() == 0 && run.told == 1);
  CHECK(file.size() == kHeader + 250 * kRecord);
}

// The record that crosses the limit of bytes is the last.
void byte_limit() {
  TemporaryFile file;
  CapturePlan plan = plan_for(file.fd);
  plan.byte_limit = kHeader + 10 * kRecord - 1;
  Running run(plan);
  run.start();
  run.arrivals.arrive(0, 1000);
  while (run.told == 0) std::this_thread::yield();
  run.end();
  CHECK(run.balance().written == 10 && run.balance().surplus == 990);
}

// A sink that fails ends the capture; what it lost and what it was spared are sinkdrop, in packets and in bytes.
void full_disk() {
  Running run(plan_for(open("/dev/full", O_WRONLY)));
  run.start();
  run.arrivals.arrive(0, 10);
  while (run.capture.stats().sink_failure == 0) std::this_thread::yield();
  run.arrivals.arrive(0, 500);
  run.end();
  const Balance balance = run.balance();
  CHECK(run.capture.stats().sink_failure == ENOSPC && run.told == 1);
  CHECK(balance.written == 0 && balance.bytes == 0 && balance.sinkdrop == 510 && balance.on_their_way() == 0);
}

// Packets that come to a lane whose port is gone may be another port's: they are surplus.
void port_gone() {
  TemporaryFile file;
  Running run(plan_for(file.fd));
  run.start();
  run.arrivals.arrive(0, 10);
  run.wait_until_written(10);
  run.own->becomes = LaneState::port_gone;
  run.capture.watch();
  run.arrivals.arrive(0, 7);
  run.end();
  CHECK(run.capture.stats().lanes[0].state == LaneState::port_gone);
  CHECK(run.balance().written == 10 && run.balance().surplus == 7 && run.balance().on_their_way() == 0);
}

// An application that does not confirm the end may have counted what never came.
void unconfirmed_end() {
  for (const bool is_in_doubt : {false, true}) {
    TemporaryFile file;
    Running run(plan_for(file.fd));
    run.start();
    run.arrivals.arrive(0, 10);
    run.own->lost.accepted = 5;  // counted, and not handed over
    run.own->lost.ringfull = 2;
    if (is_in_doubt) run.own->in_doubt = {"test0 queue 0 rx"};
    run.end(is_in_doubt ? Capture::Quiet::confirmed : Capture::Quiet::unconfirmed);
    CHECK(run.balance().source.accepted == 12 && run.balance().on_their_way() == 0);
  }
}

// The memory of an application that is gone is left, not freed, before the file is finished.
void primary_gone() {
  TemporaryFile file;
  Running run(plan_for(file.fd));
  run.start();
  run.capture.disable(Primary::gone);
  run.capture.finish(Capture::Quiet::unconfirmed);
  CHECK(run.calls == (std::vector<std::string>{"prepare", "enable", "open", "gone", "leave"}));
}

// When one lane is refused, everything is given back as always, and the file is closed with nothing in it.
void refused() {
  TemporaryFile file;
  Running run(plan_for(file.fd));
  run.own->fails_to_enable = true;
  run.capture.prepare();
  std::string code;
  try {
    run.capture.enable();
  } catch (const Error& error) {
    code = error.code();
  }
  CHECK(code == "ERR_ENABLE_FAILED");
  run.end();
  CHECK(run.capture.free() && file.size() == kHeader);
  CHECK(run.balance().source.accepted == 0);
}

// A destructor gives nothing back: nobody has waited for the application.
void destroyed() {
  TemporaryFile file;
  std::vector<std::string> calls;
  Arrivals arrivals(1);
  {
    Capture capture(plan_for(file.fd), std::make_unique<FakeSource>(arrivals, calls), {});
    capture.prepare();
    capture.enable();
  }
  CHECK(calls == (std::vector<std::string>{"prepare", "enable", "open"}));
}

}  // namespace

void test_capture() {
  whole_run(1, 1);
  whole_run(3, 1);
  whole_run(4, 3);
  packet_limit();
  byte_limit();
  full_disk();
  port_gone();
  unconfirmed_end();
  primary_gone();
  refused();
  destroyed();
}
