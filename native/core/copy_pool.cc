#include "core/copy_pool.h"

#include <pthread.h>
#include <rte_errno.h>
#include <rte_memzone.h>
#include <rte_ring.h>

#include <algorithm>

#include "core/error.h"

namespace dpcap {
namespace {

// Mbufs each polling lcore of the primary may keep to itself. Saves it a ring operation per copy.
constexpr uint32_t kCacheSize = 256;
// A core whose cache is empty takes as many as fill it, and the one it needs. Where there are fewer it takes them one
// by one, at a third of the speed (rte_mempool_do_generic_get, all releases). So they come back in portions of as many.
constexpr uint32_t kPortion = kCacheSize + 1;
constexpr uint32_t kSmallPortion = 31;  // of a pool without caches
constexpr uint32_t kMostUncached = 4 * kCacheSize;

// What is left of a portion would have a core take from two: such mbufs are not made.
uint32_t whole_portions(uint32_t mbufs) { return mbufs > kMostUncached ? mbufs / kPortion * kPortion : mbufs; }
// A part has this share of the mbufs that the pool begins with: the locks that EAL holds meanwhile are held for less.
constexpr uint32_t kPartShare = 2;

rte_mempool* try_create(const std::string& name, uint32_t mbufs, uint32_t cache, uint32_t data_room) {
  // ring_mp_mc by name: the platform's preferred handler may be hardware that only the primary has.
  return rte_pktmbuf_pool_create_by_ops(name.c_str(), mbufs, cache, 0, static_cast<uint16_t>(data_room), SOCKET_ID_ANY,
                                        "ring_mp_mc");
}

std::string part_name(const std::string& pool, size_t index) { return pool + "_m" + std::to_string(index); }

// Takes every mbuf out of a new pool; empty when it has not as many.
std::vector<void*> all_of(rte_mempool* pool, uint32_t mbufs) {
  std::vector<void*> all(mbufs);
  if (rte_mempool_ops_dequeue_bulk(pool, all.data(), mbufs) != 0) all.clear();
  return all;
}

// The mbuf is given back to `pool` from now on.
void move_to(rte_mempool* pool, void* mbuf) {
  static_cast<rte_mbuf*>(mbuf)->pool = pool;
  static_cast<rte_mempool_objhdr*>(RTE_PTR_SUB(mbuf, sizeof(rte_mempool_objhdr)))->mp = pool;
}

// A pool's chunks are freed through a function pointer in shared memory, which is the address of a static function in
// the process that made the pool (mp->mem_list, all releases). That process is dead: ours takes its place.
void free_chunk(rte_mempool_memhdr*, void* opaque) { rte_memzone_free(static_cast<const rte_memzone*>(opaque)); }

void free_foreign_mempool(const std::string& name) {
  rte_mempool* pool = rte_mempool_lookup(name.c_str());
  if (pool == nullptr) return;
  rte_mempool_memhdr* chunk;
  STAILQ_FOREACH(chunk, &pool->mem_list, next) chunk->free_cb = free_chunk;
  rte_mempool_free(pool);
}

}  // namespace

CopyPool::CopyPool(const std::string& name, const Size& size)
    : name_(name), most_(size.most), data_room_(size.data_room) {
  uint32_t slots = size.mbufs;
  for (; pool_ == nullptr && slots >= kMinMbufs; slots /= 2) {
    mbufs_ = whole_portions(slots);
    pool_ = try_create(name, mbufs_, slots > kMostUncached ? kCacheSize : 0, size.data_room);
    if (pool_ != nullptr || rte_errno != ENOMEM) break;
  }
  if (pool_ == nullptr) {
    throw Error("ERR_NO_MEMORY", "cannot create the mempool for copies in the primary's huge pages", rte_errno, name);
  }
  part_mbufs_ = whole_portions((slots + 1) / kPartShare);
  if (slots < size.mbufs || most_ < slots) most_ = slots;
  portions_.emplace(pool_->cache_size == 0 ? kSmallPortion : kPortion);
  hold_back();
  widen();
  sem_init(&wanted_, 0, 0);
  is_grown_ = !has_room();
  if (!is_grown_) grower_ = std::thread([this] { make_parts(); });
}

CopyPool::~CopyPool() {
  stop_growing();
  sem_destroy(&wanted_);
  if (pool_ == nullptr) return;
  open();
  rte_mempool_free(pool_);
  for (rte_mempool* part : parts_) rte_mempool_free(part);
}

void CopyPool::hold_back() {
  held_ = all_of(pool_, mbufs_);
  if (!held_.empty()) return;
  rte_mempool_free(pool_);
  throw Error("ERR_NO_MEMORY", "the new mempool is not full", ENOBUFS, name_);
}

// Gives the pool, which is empty, a ring with room for as many as it may grow to; or it does not grow.
void CopyPool::widen() {
  auto* ring = static_cast<rte_ring*>(pool_->pool_data);
  if (!has_room()) return;
  const std::string name = ring->name;
  rte_ring_free(ring);
  ring = rte_ring_create(name.c_str(), most_ + 1, SOCKET_ID_ANY, 0);
  if (ring == nullptr) {
    most_ = rte_align32pow2(mbufs_ + 1) - 1;
    ring = rte_ring_create(name.c_str(), most_ + 1, SOCKET_ID_ANY, 0);
  }
  pool_->pool_data = ring;
  if (ring != nullptr) return;
  rte_mempool_free(pool_);
  throw Error("ERR_NO_MEMORY", "cannot create the mempool's ring", rte_errno, name_);
}

void CopyPool::open() {
  if (held_.empty()) return;
  add_members(std::move(held_));
  held_.clear();
}

void CopyPool::add_members(std::vector<void*> mbufs) {
  std::sort(mbufs.begin(), mbufs.end());  // before the others have to wait
  const std::lock_guard<std::mutex> lock(giving_back_);
  enqueue(portions_->add(std::move(mbufs)));
}

void CopyPool::enqueue(const Portions::Portion& portion) {
  rte_mempool_ops_enqueue_bulk(pool_, portion.mbufs, portion.count);
}

void CopyPool::give_back(rte_mbuf* const* segments, uint32_t count) {
  const std::lock_guard<std::mutex> lock(giving_back_);
  allow();
  for (uint32_t i = 0; i < count; i++) {
    const Portions::Portion portion = portions_->came_back(segments[i]);
    if (portion.count != 0) enqueue(portion);
  }
  kept_.store(portions_->kept(), std::memory_order_relaxed);
}

void CopyPool::circulate(const Circle& circle) {
  const std::lock_guard<std::mutex> lock(giving_back_);
  most_free_ = circle.free;
  portions_->keep_out(circle.out);
  hand_out_kept();
}

void CopyPool::top_up() {
  if (kept_.load(std::memory_order_relaxed) == 0) return;
  const std::lock_guard<std::mutex> lock(giving_back_);
  hand_out_kept();
}

// What the primary took since the last time.
void CopyPool::allow() {
  const uint32_t free = most_free_ == UINT32_MAX ? 0 : in_ring();
  portions_->allow(most_free_ > free ? most_free_ - free : 0);
}

void CopyPool::hand_out_kept() {
  allow();
  for (auto portion = portions_->next_kept(); portion.count != 0; portion = portions_->next_kept()) {
    kept_.store(portions_->kept(), std::memory_order_relaxed);  // first: available() never counts one twice
    enqueue(portion);
  }
}

void CopyPool::grow() {
  if (!is_grown_.exchange(true)) sem_post(&wanted_);
}

void CopyPool::make_parts() {
  pthread_setname_np(pthread_self(), "dpcap-pool");
  while (sem_wait(&wanted_) != 0) {
  }
  while (!is_stopped_ && has_room() && make_part()) {
  }
}

// False when memory is short: then it stays as large as it is.
bool CopyPool::make_part() {
  rte_mempool* part = try_create(part_name(name_, parts_.size()), part_mbufs_, 0, data_room_);
  if (part == nullptr) return false;
  parts_.push_back(part);
  std::vector<void*> members = all_of(part, part_mbufs_);
  if (members.empty()) return false;
  for (void* mbuf : members) move_to(pool_, mbuf);
  mbufs_ += static_cast<uint32_t>(members.size());
  add_members(std::move(members));
  return true;
}

void CopyPool::stop_growing() {
  if (!grower_.joinable()) return;
  is_stopped_ = true;
  sem_post(&wanted_);
  grower_.join();
}

void CopyPool::abandon() {
  stop_growing();
  pool_ = nullptr;
  parts_.clear();
}

void free_foreign_pool(const std::string& name) {
  // From the last part to the first, and the pool after them: a recovery that dies on the way leaves what the next
  // finds.
  size_t parts = 0;
  while (rte_mempool_lookup(part_name(name, parts).c_str()) != nullptr) parts++;
  while (parts > 0) free_foreign_mempool(part_name(name, --parts));
  free_foreign_mempool(name);
}

}  // namespace dpcap
