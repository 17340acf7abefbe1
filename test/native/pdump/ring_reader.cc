// The rings of a capture in ordinary memory, filled as a primary would, at moments that the test chooses.
#include "pdump/reader/ring_reader.h"

#include <rte_ring.h>

#include <cstdint>
#include <cstdlib>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "copies.h"
#include "tap.h"

using namespace dpcap;

namespace {

constexpr uint64_t kHz = 1'000'000'000;
constexpr uint64_t kUs = kHz / 1'000'000;
constexpr uint32_t kSlots = 4096;

uint64_t now;
TimeSource fake() {
  now = 1'000'000'000;
  return {kHz, [] { return now; }, [] { return 1'700'000'000'000'000'000 + now; }};
}

// A lane with its ring.
class FilledRing {
 public:
  explicit FilledRing(size_t index, Direction direction)
      : memory_(static_cast<rte_ring*>(aligned_alloc(RTE_CACHE_LINE_SIZE, rte_ring_get_memsize(kSlots))), free),
        own_(index, {"test0", 0, 0, direction}, 0),
        ledger_(index + 1),
        lane_(own_, ledger_[index], memory_.get()) {
    rte_ring_init(memory_.get(), "test", kSlots, 0);
  }
  // `number` is found again in the packet.
  void copy(uint32_t number) { enqueue(words_of(number)); }
  void stamped_copy(uint32_t number, uint64_t stamp) {
    std::vector<uint8_t> bytes = stamped(words_of(number), 60);
    const uint32_t words[2] = {static_cast<uint32_t>(stamp >> 32), static_cast<uint32_t>(stamp)};
    memcpy(&bytes[12], words, sizeof words);
    enqueue(bytes);
  }
  PdumpLane* lane() { return &lane_; }

 private:
  static std::vector<uint8_t> words_of(uint32_t number) {
    std::vector<uint8_t> bytes(60);
    memcpy(bytes.data(), &number, sizeof number);
    return bytes;
  }
  void enqueue(const std::vector<uint8_t>& bytes) {
    Chain& chain = chains_.emplace_back(bytes, bytes.size(), uint16_t{64});
    rte_ring_enqueue(memory_.get(), chain.head());
  }

  std::unique_ptr<rte_ring, void (*)(void*)> memory_;
  Lane own_;
  Ledger ledger_;
  PdumpLane lane_;
  std::deque<Chain> chains_;
};

struct Given {
  size_t lane;
  uint32_t number;
  uint64_t ns;
  uint64_t lost;  // before it
};

// All that comes out of one look, appended to `given`. Returns how many that were.
uint32_t look(RingReader& reader, CopyMode mode, std::vector<Given>* given) {
  reader.refill();
  uint32_t count = 0;
  while (true) {
    const Burst burst = reader.next(More::may_come);
    if (burst.count == 0) return count;
    for (uint32_t i = 0; i < burst.count; i++) {
      uint32_t number;
      memcpy(&number, rte_pktmbuf_mtod_offset(burst.mbufs[i], void*, mode == CopyMode::stamped ? 28 : 0),
             sizeof number);
      given->push_back({burst.lane.index, number, burst.arrival_ns[i], i == 0 ? burst.lost : 0});
    }
    count += burst.count;
    reader.taken(burst.count);
  }
}

// Plain copies of two lanes wait for nothing: no time need pass until all are out.
void plain_copies_do_not_wait() {
  SharedClock clock(fake(), StampClock::Stamps::primary_ns);
  FilledRing a(0, Direction::rx), b(1, Direction::tx);
  RingReader reader({a.lane(), b.lane()}, CopyMode::plain, true, RingReader::kPending, clock);
  reader.begin();
  for (uint32_t i = 0; i < 3000; i++) a.copy(i);
  b.copy(0);
  std::vector<Given> given;
  for (int i = 0; i < 6; i++) look(reader, CopyMode::plain, &given);
  CHECK(given.size() == 3001 && reader.is_empty() && !reader.is_full());
}

// Stamped copies do, for at most 50 us, and whoever looks is told that there is more than it was given room for.
void held_back_is_not_nothing() {
  SharedClock clock(fake(), StampClock::Stamps::primary_ns);
  FilledRing a(0, Direction::rx), b(1, Direction::tx);
  RingReader reader({a.lane(), b.lane()}, CopyMode::stamped, true, RingReader::kPending, clock);
  reader.begin();
  std::vector<Given> given;
  for (uint32_t i = 0; i < 3; i++) {  // until the primary's clock is known
    look(reader, CopyMode::stamped, &given);
    now += kUs;
    a.stamped_copy(i, now);
    now += kUs;
  }
  look(reader, CopyMode::stamped, &given);
  now += 100 * kUs;
  look(reader, CopyMode::stamped, &given);
  CHECK(given.size() == 3);
  for (uint32_t i = 3; i < 2000; i++) a.stamped_copy(i, now);
  now += 10 * kUs;
  CHECK(look(reader, CopyMode::stamped, &given) == 0 && !reader.is_full());
  CHECK(look(reader, CopyMode::stamped, &given) == 0 && reader.is_full());
  now += 100 * kUs;
  CHECK(look(reader, CopyMode::stamped, &given) == RingReader::kPending);  // found none, and gave many
  while (look(reader, CopyMode::stamped, &given) != 0) {
  }
  CHECK(given.size() == 2000 && reader.is_empty());
}

// Questions that are received and answers that are sent, each answer some time after its question; looks in between.
void answers_after_questions(uint32_t in_a_look, uint32_t delay) {
  SharedClock clock(fake(), StampClock::Stamps::primary_ns);
  FilledRing questions(5, Direction::rx), answers(2, Direction::tx);  // the later one comes first by its number
  RingReader reader({answers.lane(), questions.lane()}, CopyMode::plain, true, RingReader::kPending, clock);
  reader.begin();
  std::vector<Given> given;
  constexpr uint32_t kAll = 6000;
  for (uint32_t i = 0; i < kAll + delay; i++) {
    now += kUs;
    if (i < kAll) questions.copy(i);
    if (i >= delay) answers.copy(i - delay);
    while (i % in_a_look == 0 && look(reader, CopyMode::plain, &given) != 0) {
    }
  }
  while (look(reader, CopyMode::plain, &given) != 0) {
  }
  std::vector<bool> asked(kAll);
  uint32_t wrong = 0;
  uint64_t last = 0;
  for (const Given& one : given) {
    if (one.lane == 5) asked[one.number] = true;
    if (one.lane == 2 && !asked[one.number]) wrong++;
    CHECK_ALL(one.ns >= last);
    last = one.ns;
  }
  CHECK(given.size() == 2 * kAll && wrong == 0);
}

// Another thread of the primary fills the rings while we look: what came after the look began on any lane waits.
void one_look_is_one_moment() {
  SharedClock clock(fake(), StampClock::Stamps::primary_ns);
  FilledRing first(0, Direction::rx), second(1, Direction::rx);
  static FilledRing* late[2];
  late[0] = &first;
  late[1] = &second;
  static int readings;
  readings = 2;
  TimeSource source = fake();
  // The clock is read when the contents of all rings are known: at that moment a question comes, and its answer.
  source.tsc = [] {
    if (++readings == 2) {
      late[0]->copy(7);
      late[1]->copy(7);
    }
    return now;
  };
  SharedClock shared(source, StampClock::Stamps::primary_ns);
  RingReader reader({first.lane(), second.lane()}, CopyMode::plain, true, RingReader::kPending, shared);
  first.copy(1);
  readings = 0;
  std::vector<Given> given;
  look(reader, CopyMode::plain, &given);
  CHECK(given.size() == 1 && given[0].number == 1);
  look(reader, CopyMode::plain, &given);
  CHECK(given.size() == 3);
}

// A clock that is set back in the middle: times follow it, and what is between two lanes stays in order.
void a_step_back() {
  static uint64_t realtime;
  realtime = 1'700'000'000'000'000'000;
  TimeSource source = fake();
  source.realtime_ns = [] { return realtime; };
  SharedClock clock(source, StampClock::Stamps::primary_ns);
  FilledRing a(0, Direction::rx), b(1, Direction::tx);
  RingReader reader({a.lane(), b.lane()}, CopyMode::plain, true, RingReader::kPending, clock);
  reader.begin();
  std::vector<Given> given;
  const auto pass = [&](uint64_t ms) {
    now += ms * 1000 * kUs;
    realtime += ms * 1'000'000;
  };
  for (uint32_t i = 0; i < 4; i++) {
    pass(200);
    if (i == 2) realtime -= 60'000'000'000;
    a.copy(i);
    b.copy(i);
    look(reader, CopyMode::plain, &given);
    CHECK(given.size() == 2 * (i + 1) && given.back().number == i);
    CHECK(std::llabs(static_cast<int64_t>(given.back().ns - realtime)) < 1000);
  }
  CHECK(clock.steps().count == 1);
}

// What is lost is told with the first packet that has come since: behind those that are held or in the ring, also where
// they are given out in parts.
void gaps_have_their_place() {
  SharedClock clock(fake(), StampClock::Stamps::primary_ns);
  FilledRing a(0, Direction::rx), b(1, Direction::tx);
  static uint64_t lost;
  lost = 5;
  a.lane()->count_lost = [](const LaneId&) { return std::optional<uint64_t>(lost); };
  a.lane()->baseline.nombuf = 5;
  RingReader reader({a.lane(), b.lane()}, CopyMode::plain, true, RingReader::kPending, clock);
  reader.begin();
  std::vector<Given> given;
  uint32_t number = 0;
  const auto lose_behind = [&](uint32_t copies, uint64_t packets) {
    for (uint32_t i = 0; i < copies; i++) a.copy(number++);
    lost += packets;
    reader.look_for_gaps();
  };
  b.copy(0);
  lose_behind(0, 3);  // before the capture has its baseline
  a.lane()->has_baseline = true;
  lose_behind(1, 1);
  look(reader, CopyMode::plain, &given);
  lose_behind(0, 2);  // the same gap, from an empty ring
  lose_behind(700, 10);
  lose_behind(1, 0);
  lose_behind(20, 100);
  lost = 0;  // the primary has gone, with its counters
  lose_behind(1, 0);
  while (look(reader, CopyMode::plain, &given) != 0) {
  }
  std::vector<std::pair<uint32_t, uint64_t>> told;
  for (const Given& one : given) {
    if (one.lost != 0) told.push_back({one.number, one.lost});
  }
  CHECK((told == std::vector<std::pair<uint32_t, uint64_t>>{{1, 6}, {701, 10}, {722, 100}}));
  CHECK(given.size() == number + 1);
}

}  // namespace

void test_ring_reader() {
  plain_copies_do_not_wait();
  held_back_is_not_nothing();
  answers_after_questions(1, 0);
  answers_after_questions(10, 1);
  answers_after_questions(100, 0);
  answers_after_questions(100, 30);
  answers_after_questions(7, 2);
  answers_after_questions(2000, 3);  // more than there is room for
  one_look_is_one_moment();
  a_step_back();
  gaps_have_their_place();
}
