#include "pdump/memory/mbuf_bulks.h"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>
#include <random>
#include <vector>

#include "tap.h"

using namespace dpcap;

namespace {

// Addresses as a mempool has them: a constant stride, but none crosses a page of 2 MiB; several chunks of memory.
std::vector<void*> addresses(uintptr_t base, size_t count, size_t stride) {
  constexpr uintptr_t kPage = 2 << 20;
  std::vector<void*> mbufs;
  for (uintptr_t at = base; mbufs.size() < count; at += stride) {
    if (at / kPage != (at + stride - 1) / kPage) at = (at / kPage + 1) * kPage;
    mbufs.push_back(reinterpret_cast<void*>(at));
  }
  return mbufs;
}

// Out of order, several at a time, over many cycles: nothing is lost, nothing comes twice, and what is given out are
// whole bulks of neighbours.
void cycles(uint32_t size, const std::vector<std::vector<void*>>& chunks) {
  std::mt19937 random(size);
  MbufBulks bulks(size);
  std::deque<void*> pool;
  size_t all = 0;
  for (std::vector<void*> chunk : chunks) {
    std::shuffle(chunk.begin(), chunk.end(), random);
    all += chunk.size();
    const MbufBulks::Bulk added = bulks.add(chunk);
    CHECK(added.count == chunk.size() && std::is_sorted(added.mbufs, added.mbufs + added.count));
    pool.insert(pool.end(), added.mbufs, added.mbufs + added.count);
  }
  std::vector<void*> used;
  bool are_sorted = true, are_whole = true;
  for (size_t i = 0; i < 20 * all; i++) {
    if (!pool.empty() && (used.empty() || random() % 2 == 0)) {
      used.push_back(pool.front());
      pool.pop_front();
      continue;
    }
    std::swap(used[random() % used.size()], used.back());
    const MbufBulks::Bulk bulk = bulks.came_back(used.back());
    used.pop_back();
    are_whole = are_whole && bulk.count <= size;
    are_sorted = are_sorted && std::is_sorted(bulk.mbufs, bulk.mbufs + bulk.count);
    pool.insert(pool.end(), bulk.mbufs, bulk.mbufs + bulk.count);
  }
  CHECK(are_sorted && are_whole);
  // However many bulks wait for some that were not used: these come back as well.
  used.insert(used.end(), pool.begin(), pool.end());
  pool.clear();
  for (void* mbuf : used) {
    const MbufBulks::Bulk bulk = bulks.came_back(mbuf);
    pool.insert(pool.end(), bulk.mbufs, bulk.mbufs + bulk.count);
  }
  std::sort(pool.begin(), pool.end());
  CHECK(pool.size() == all && std::adjacent_find(pool.begin(), pool.end()) == pool.end());
}

void strangers() {
  const auto mbufs = addresses(0x100000000, 10, 2496);
  MbufBulks bulks(5);
  CHECK(bulks.came_back(mbufs[0]).count == 0);
  bulks.add(mbufs);
  for (const uintptr_t address : {uintptr_t{0}, uintptr_t{0xffffffff}, uintptr_t{0x200000000}, ~uintptr_t{0}}) {
    CHECK(bulks.came_back(reinterpret_cast<void*>(address)).count == 0);
  }
  for (int i = 0; i < 4; i++) CHECK(bulks.came_back(mbufs[i]).count == 0);
  const MbufBulks::Bulk bulk = bulks.came_back(mbufs[4]);
  CHECK(bulk.count == 5 && bulk.mbufs[0] == mbufs[0] && bulk.mbufs[4] == mbufs[4]);
}

// While fewer go around, the rest waits; then it comes back, each mbuf once.
void kept_back() {
  constexpr uint32_t kAll = 100, kSize = 10;
  const auto mbufs = addresses(0x100000000, kAll, 2496);
  MbufBulks bulks(kSize);
  const MbufBulks::Bulk all = bulks.add(mbufs);
  std::deque<void*> pool(all.mbufs, all.mbufs + all.count);
  const auto use_one = [&] {
    const MbufBulks::Bulk bulk = bulks.came_back(pool.front());
    pool.pop_front();
    pool.insert(pool.end(), bulk.mbufs, bulk.mbufs + bulk.count);
  };
  bulks.keep_out(35);
  CHECK(bulks.next_kept().count == 0 && bulks.kept() == 0);
  for (uint32_t i = 0; i < 10 * kAll; i++) use_one();
  CHECK(bulks.kept() == 70 && pool.size() <= 30);
  bulks.keep_out(UINT32_MAX);
  for (auto bulk = bulks.next_kept(); bulk.count != 0; bulk = bulks.next_kept()) {
    pool.insert(pool.end(), bulk.mbufs, bulk.mbufs + bulk.count);
  }
  CHECK(bulks.kept() == 0 && pool.size() == kAll);
  for (uint32_t i = 0; i < 10 * kAll; i++) use_one();
  std::sort(pool.begin(), pool.end());
  CHECK(std::equal(pool.begin(), pool.end(), mbufs.begin(), mbufs.end()));
}

// So many are given out at a time, as wait for the primary already; what is kept comes out again, the newest first.
void allowed() {
  constexpr uint32_t kAll = 100, kSize = 10;
  const auto mbufs = addresses(0x100000000, kAll, 2496);
  MbufBulks bulks(kSize);
  bulks.add(mbufs);
  bulks.allow(25);
  uint32_t given = 0;
  for (void* mbuf : mbufs) given += bulks.came_back(mbuf).count;
  CHECK(given == 20 && bulks.kept() == 80);
  bulks.allow(10);
  const MbufBulks::Bulk newest = bulks.next_kept();
  CHECK(newest.count == kSize && newest.mbufs[0] == mbufs[90] && bulks.next_kept().count == 0);
  bulks.allow(UINT32_MAX);
  while (bulks.next_kept().count != 0) given += kSize;
  CHECK(given == 90 && bulks.kept() == 0);
}

}  // namespace

void test_mbuf_bulks() {
  cycles(257, {addresses(0x100000000, 2047, 2496)});
  cycles(257,
         {addresses(0x100000000, 4095, 576), addresses(0x7000000000, 2048, 576), addresses(0x50000000, 2048, 576)});
  cycles(31, {addresses(0x100000000, 1023, 65664)});
  cycles(257, {addresses(0x100000000, 600, 2496), addresses(0x100000000 + 600 * 2600, 300, 2496)});
  std::vector<void*> around = addresses(0x100000000, 300, 2496);  // with a hole, in which the others lie
  const std::vector<void*> hole(around.begin() + 100, around.begin() + 200);
  around.erase(around.begin() + 100, around.begin() + 200);
  cycles(31, {around, hole});
  cycles(31, {addresses(0x100000000, 1, 2496), addresses(0x200000000, 40, 2496)});
  strangers();
  kept_back();
  allowed();
}
