#include "pdump/lane.h"

#include <rte_ring.h>

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
    lane_ = std::make_unique<Lane>(0, PdumpTarget{}, 0, ring());
  }
  Lane& lane() { return *lane_; }

  void arrive(uint32_t count) {
    while (count-- != 0) rte_ring_enqueue(ring(), this);
  }
  // What the drain thread does.
  void drain(uint32_t count) {
    for (void* copy = nullptr; count-- != 0;) {
      rte_ring_dequeue(ring(), &copy);
      lane_->recorded.add(1);
    }
  }

 private:
  rte_ring* ring() { return reinterpret_cast<rte_ring*>(memory_); }

  alignas(RTE_CACHE_LINE_SIZE) unsigned char memory_[sizeof(rte_ring) + kSlots * sizeof(void*)];
  std::unique_ptr<Lane> lane_;
};

// The watch of a capture compares the primary's count with both: a lane that is being drained is not another tool's.
void bounds_while_it_is_drained() {
  constexpr uint32_t kWaiting = 1000;
  OwnRing own;
  own.arrive(kWaiting);
  CHECK(own.lane().arrived_at_most([&] { own.drain(kWaiting); }) >= kWaiting);
  own.arrive(kWaiting);
  CHECK(own.lane().arrived_at_least([&] { own.drain(kWaiting); }) <= 2 * kWaiting);
  CHECK(own.lane().arrived_at_most([] {}) == 2 * kWaiting);
  CHECK(own.lane().arrived_at_least([] {}) == 2 * kWaiting);
}

}  // namespace

void test_lane() { bounds_while_it_is_drained(); }
