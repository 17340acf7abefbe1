#include "pdump/pdump_lane.h"

#include <rte_ring.h>

#include <algorithm>
#include <memory>

#include "tap.h"

using namespace dpcap;

namespace {

constexpr uint32_t kSlots = 1024;

// A lane whose ring is in the memory of the test.
class OwnRing {
 public:
  OwnRing() {
    rte_ring_init(ring(), "test", kSlots, 0);
    lane_ = std::make_unique<PdumpLane>(own_, ledger_[0], ring());
  }
  PdumpLane& lane() { return *lane_; }

  void arrive(uint32_t count) {
    while (count-- != 0) rte_ring_enqueue(ring(), this);
  }
  // What the drain thread does.
  void drain(uint32_t count) {
    for (void* copy = nullptr; count-- != 0 && rte_ring_dequeue(ring(), &copy) == 0;) ledger_[0].recorded.add(1);
  }

 private:
  rte_ring* ring() { return reinterpret_cast<rte_ring*>(memory_); }

  alignas(RTE_CACHE_LINE_SIZE) unsigned char memory_[sizeof(rte_ring) + kSlots * sizeof(void*)];
  Lane own_{0, LaneId{}, 0};
  Ledger ledger_{1};
  std::unique_ptr<PdumpLane> lane_;
};

// The watch of a capture compares the primary's count with both: a lane that is being drained is not another tool's.
void bounds_while_it_is_drained() {
  constexpr uint32_t kWaiting = 1000;
  OwnRing own;
  uint64_t total = 0;
  const auto arrive = [&](uint32_t count) {
    own.arrive(count);
    total += count;
  };
  // What goes through the ring between two readings: a single copy behind those that were in it, or many.
  for (const uint32_t more : {1u, 2 * kWaiting}) {
    const auto go_on = [&] {
      own.drain(kWaiting);
      for (uint32_t left = more; left != 0; left -= std::min(left, kWaiting)) {
        arrive(std::min(left, kWaiting));
        own.drain(kWaiting);
      }
    };
    arrive(kWaiting);
    const uint64_t before = total;
    CHECK(own.lane().arrived_at_most(go_on) >= before);
    arrive(kWaiting);
    CHECK(own.lane().arrived_at_least(go_on) <= total);
  }
  CHECK(own.lane().arrived_at_most([] {}) == total);
  CHECK(own.lane().arrived_at_least([] {}) == total);
}

}  // namespace

void test_pdump_lane() { bounds_while_it_is_drained(); }
