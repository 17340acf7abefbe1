#include "capture/limit.h"

#include <thread>
#include <vector>

#include "tap.h"

using namespace dpcap;

namespace {

// Several threads take from one limit: together exactly as many as it grants, and one of them tells.
void shared_by_threads() {
  constexpr uint64_t kPackets = 100'001;
  std::atomic<uint64_t> granted{0};
  std::atomic<int> told{0};
  Limit limit(kPackets, [&] { told++; });
  std::vector<std::thread> drains;
  for (int i = 0; i < 4; i++) {
    drains.emplace_back([&] {
      while (!limit.is_reached()) {
        granted += limit.grant(7);
        if (limit.is_used_up()) limit.reach();
      }
    });
  }
  for (std::thread& drain : drains) drain.join();
  CHECK(granted == kPackets && told == 1);
  CHECK(limit.grant(1) == 0);
}

// A file may be full without a limit on packets; and nobody need be told.
void no_limit() {
  Limit limit(0);
  CHECK(limit.grant(1000) == 1000 && !limit.is_used_up());
  limit.reach();
  CHECK(limit.is_reached() && limit.grant(1) == 0);
}

// What is lost may be made up for, however much more was asked for than was left.
void given_back() {
  Limit limit(1000);
  CHECK(limit.grant(700) == 700 && limit.grant(700) == 300 && limit.is_used_up());
  limit.give_back(200);
  CHECK(!limit.is_used_up() && limit.grant(700) == 200 && limit.is_used_up() && limit.grant(1) == 0);
  Limit none(0);
  none.give_back(5);
  CHECK(none.grant(7) == 7 && !none.is_used_up());
}

}  // namespace

void test_limit() {
  given_back();
  shared_by_threads();
  no_limit();
}
