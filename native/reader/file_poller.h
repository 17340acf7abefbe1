// Reads packets of a file, filters them, and passes them on. Drain thread.
//
// A file is its own pace: no packet of it is lost, and whoever writes is waited for.
#pragma once
#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/counter.h"
#include "capture/source.h"
#include "reader/input_end.h"
#include "reader/input_file.h"
#include "reader/packet_filter.h"
#include "reader/packet_output.h"

namespace dpcap {

// Which of the packets that match are passed on.
struct Selection {
  uint64_t skip = 0;   // so many are left out first
  uint64_t limit = 0;  // and then no more than so many are taken; 0: all
};

// What a poller stands on. All of it outlives the poller.
struct ReaderInput {
  InputFile& file;
  PacketFilter& filter;
  std::deque<Counter>& read;       // for each lane: packets that were read
  const std::atomic<bool>& flows;  // packets may be read: not before the capture has begun, nor after its end
  InputEndBox& end;
};

class FilePoller : public Poller {
 public:
  // `lanes`: one for each interface of the file. `sink` is the one that `output` writes to.
  FilePoller(const std::vector<Lane*>& lanes, const ReaderInput& input, Selection selection,
             std::unique_ptr<PacketOutput> output, Sink& sink, Admission& admission);

  uint32_t poll() override { return 0; }
  uint32_t deliver(More) override;
  uint64_t complete_ns() const override { return UINT64_MAX; }
  bool is_empty() const override { return true; }
  uint32_t room() const override { return kMostInRound; }
  uint32_t most_room() const override { return kMostInRound; }
  uint32_t longest_sleep_us() const override { return kLongestSleepUs; }
  void before_pause(bool) override {}
  void after_pause(uint32_t) override {}

 private:
  static constexpr uint32_t kMostInRound = 4096;  // the sink needs its tick()
  static constexpr uint32_t kLongestSleepUs = 5000;

  uint32_t read_some();
  void handle(FilePacket& packet);
  bool is_left_out(const FilePacket& packet);
  void end_with(InputEnd::How how, std::string words);
  void tell_end();

  const std::vector<Lane*> lanes_;  // by the number of their interface
  const ReaderInput input_;
  Selection selection_;
  const std::unique_ptr<PacketOutput> output_;
  Sink& sink_;
  Admission& admission_;
  // For each interface: packets that were lost before one that was left out. The next one tells of them.
  std::vector<uint64_t> lost_;
  FilePacket packet_{};
  bool has_ended_ = false;
  std::optional<InputEnd> end_;  // to be told once the sink has written everything
};

}  // namespace dpcap
