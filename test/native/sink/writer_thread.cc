#include "sink/writer_thread.h"

#include <cstring>
#include <future>

#include "tap.h"

using namespace dpcap;

namespace {

// Every block arrives, once and in order, whoever has to wait for whom.
void in_order() {
  uint32_t next = 0;
  bool is_open = false, is_right = true, is_clean = true;
  WriterThread hand_over(4, 4,
                         {[&] { is_open = true; },
                          [&](const Blocks& blocks, size_t) {
                            for (const Block* block : blocks) {
                              uint32_t number;
                              memcpy(&number, block->bytes, sizeof number);
                              is_right = is_right && is_open && number == next && block->used == sizeof number;
                              next++;
                            }
                          },
                          [] {}});
  for (uint32_t i = 0; i < 20000; i++) {
    Block* block = hand_over.acquire();
    is_clean = is_clean && block->used == 0 && block->shares.empty();
    memcpy(block->bytes, &i, sizeof i);
    block->used = sizeof i;
    hand_over.submit(block);
  }
  hand_over.stop();
  CHECK(is_right && is_clean && next == 20000 && hand_over.is_idle());
}

// A writer that stalls holds nobody up while there are free blocks, and is not idle.
void stalled_writer() {
  std::promise<void> go_on;
  auto gone_on = go_on.get_future().share();
  WriterThread hand_over(3, 4, {[] {}, [&](const Blocks&, size_t) { gone_on.wait(); }, [] {}});
  for (int i = 0; i < 3; i++) hand_over.submit(hand_over.acquire());
  CHECK(!hand_over.is_idle());
  go_on.set_value();
  CHECK(hand_over.acquire() != nullptr);
  hand_over.stop();
  CHECK(hand_over.is_idle());
}

// What has piled up comes several at once.
void at_once() {
  std::promise<void> go_on;
  auto gone_on = go_on.get_future().share();
  std::vector<size_t> counts, on_the_way;
  WriterThread hand_over(7, 4,
                         {[&] { gone_on.wait(); },
                          [&](const Blocks& blocks, size_t all) {
                            counts.push_back(blocks.size());
                            on_the_way.push_back(all);
                          },
                          nullptr});
  for (int i = 0; i < 6; i++) hand_over.submit(hand_over.acquire());
  go_on.set_value();
  hand_over.stop();
  CHECK((counts == std::vector<size_t>{4, 2} && on_the_way == std::vector<size_t>{6, 2}));
}

}  // namespace

void test_writer_thread() {
  in_order();
  stalled_writer();
  at_once();
}
