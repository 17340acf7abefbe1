// A source without an application behind it: the test says what comes, and sees what it was asked for.
#pragma once
#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "capture/source.h"
#include "record/pcap_format.h"

// What has come and was not taken yet, in packets of 60 bytes for each lane.
class Arrivals {
 public:
  explicit Arrivals(size_t lanes) : lanes_(lanes) {}

  void arrive(size_t lane, uint32_t count) {
    const std::lock_guard lock(mutex_);
    lanes_[lane].accepted += count;
    lanes_[lane].waiting += count;
  }
  uint32_t take(size_t lane, uint32_t most) {
    const std::lock_guard lock(mutex_);
    const uint32_t taken = std::min(most, lanes_[lane].waiting);
    lanes_[lane].waiting -= taken;
    return taken;
  }
  uint64_t accepted(size_t lane) const {
    const std::lock_guard lock(mutex_);
    return lanes_[lane].accepted;
  }

 private:
  struct Counts {
    uint64_t accepted = 0;
    uint32_t waiting = 0;
  };
  mutable std::mutex mutex_;
  std::vector<Counts> lanes_;
};

// Takes a few packets of each lane in a round, and writes them as records or as frames.
class FakePoller : public dpcap::Poller {
 public:
  static constexpr uint32_t kPacketBytes = 60;
  static constexpr uint32_t kMostInRound = 100;

  FakePoller(std::vector<dpcap::Lane*> lanes, Arrivals& arrivals, dpcap::RecordSink* records, dpcap::FrameSink* frames,
             dpcap::Admission& admission)
      : lanes_(std::move(lanes)), arrivals_(arrivals), records_(records), frames_(frames), admission_(admission) {}

  uint32_t poll() override {
    uint32_t all = 0;
    found_.clear();
    for (const dpcap::Lane* lane : lanes_) found_.push_back(arrivals_.take(lane->index, kMostInRound));
    for (const uint32_t count : found_) all += count;
    return all;
  }
  uint32_t deliver(dpcap::More) override {
    uint32_t all = 0;
    for (size_t i = 0; i < lanes_.size(); i++) {
      all += found_[i];
      const uint32_t admitted = admission_.admit(*lanes_[i], found_[i]);
      if (admitted == 0) continue;
      if (records_ != nullptr) write_records(*lanes_[i], admitted);
      if (frames_ != nullptr) write_frames(*lanes_[i], admitted);
    }
    return all;
  }
  uint64_t complete_ns() const override { return now_; }
  bool is_empty() const override { return true; }
  uint32_t room() const override { return 1023; }
  uint32_t most_room() const override { return 1 << 20; }
  uint32_t longest_sleep_us() const override { return 100; }
  void before_pause(bool) override {}
  void after_pause(uint32_t) override {}

 private:
  void write_records(const dpcap::Lane& lane, uint32_t admitted) {
    const dpcap::FileOptions options{dpcap::FileFormat::pcap, true, 262144};
    std::vector<uint8_t> record(dpcap::record_size(options.format, kPacketBytes));
    uint32_t taken = 0;
    for (; taken < admitted && !records_->is_full(); taken++) {
      dpcap::write_record_head(options, {++now_, kPacketBytes, kPacketBytes, lane.interface, 0, lane.id.direction},
                               record.data());
      records_->put({record.data(), static_cast<uint32_t>(record.size()), 1, static_cast<uint16_t>(lane.index), 0});
    }
    admission_.recorded(lane, admitted, {taken, taken * uint64_t{kPacketBytes}});
  }
  void write_frames(const dpcap::Lane& lane, uint32_t admitted) {
    const std::vector<uint8_t> bytes(kPacketBytes);
    const std::vector<dpcap::Frame> frames(admitted, {bytes.data(), kPacketBytes, kPacketBytes, 0});
    frames_->put(frames.data(), admitted, lane);
    admission_.recorded(lane, admitted, {admitted, admitted * uint64_t{kPacketBytes}});
  }

  const std::vector<dpcap::Lane*> lanes_;
  Arrivals& arrivals_;
  dpcap::RecordSink* const records_;
  dpcap::FrameSink* const frames_;
  dpcap::Admission& admission_;
  std::vector<uint32_t> found_;
  uint64_t now_ = 1'700'000'000'000'000'000;
};

class FakeSource : public dpcap::Source {
 public:
  // `calls`: what was called, in order; it outlives the source.
  FakeSource(Arrivals& arrivals, std::vector<std::string>& calls) : arrivals_(arrivals), calls_(calls) {}

  std::vector<std::string> in_doubt;  // what disable() returns
  bool fails_to_enable = false;
  // The test plays the application: what it lost, and lanes that end.
  dpcap::SourceCounters lost;
  dpcap::LaneState becomes = dpcap::LaneState::live;

  void prepare(const std::vector<dpcap::Lane*>& lanes, const dpcap::Ledger&) override {
    lanes_ = lanes;
    calls_.push_back("prepare");
  }
  std::unique_ptr<dpcap::Poller> poller(std::vector<dpcap::Lane*> lanes, dpcap::RecordSink& sink,
                                        dpcap::Admission& admission) override {
    return std::make_unique<FakePoller>(std::move(lanes), arrivals_, &sink, nullptr, admission);
  }
  std::unique_ptr<dpcap::Poller> poller(std::vector<dpcap::Lane*> lanes, dpcap::FrameSink& sink,
                                        dpcap::Admission& admission) override {
    return std::make_unique<FakePoller>(std::move(lanes), arrivals_, nullptr, &sink, admission);
  }
  void enable() override {
    calls_.push_back("enable");
    if (fails_to_enable) throw dpcap::Error("ERR_ENABLE_FAILED", "refused");
  }
  void open() override { calls_.push_back("open"); }
  bool grow(uint32_t, uint32_t) override { return false; }
  void watch() override {
    if (becomes != dpcap::LaneState::live) lanes_[0]->end(becomes);
  }
  std::vector<std::string> settle() override {
    calls_.push_back("settle");
    return {};
  }
  std::vector<std::string> disable(dpcap::Primary primary) override {
    calls_.push_back(primary == dpcap::Primary::gone ? "gone" : "disable");
    return in_doubt;
  }
  void leave() override { calls_.push_back("leave"); }
  bool release() override {
    calls_.push_back("release");
    return true;
  }
  void abandon() override {}
  dpcap::SourceCounters counters(const dpcap::Lane& lane) const override {
    dpcap::SourceCounters counters = lost;
    counters.accepted = arrivals_.accepted(lane.index) + lost.ringfull + lost.accepted;
    return counters;
  }
  dpcap::SourceStats stats() const override { return {}; }

 private:
  Arrivals& arrivals_;
  std::vector<std::string>& calls_;
  std::vector<dpcap::Lane*> lanes_;
};
