#include "pdump/memory/mempool.h"

#include <rte_errno.h>
#include <rte_memzone.h>
#include <rte_ring.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/fault_point.h"
#include "base/now.h"
#include "pdump/memory/copy_ring.h"
#include "primary/release.h"

namespace dpcap {
namespace {

// How many mbufs each polling lcore of the primary may cache. The cache saves it a ring operation per copy.
constexpr uint32_t kCacheSize = 256;
constexpr uint32_t kSmallBulk = 31;  // for a mempool without caches
constexpr uint32_t kMostUncached = 4 * kCacheSize;

constexpr char kHandler[] = "ring_mp_mc";

uint32_t cache_size(uint32_t mbufs) { return mbufs > kMostUncached ? kCacheSize : 0; }

// A core whose cache is empty takes so many mbufs at once. When there are fewer, it takes them one by one, at a third
// of the speed (rte_mempool_do_generic_get, all releases). So mbufs come back in bulks of that size.
uint32_t bulk_size(uint32_t mbufs) { return mbufs > kMostUncached ? running_release().refill : kSmallBulk; }

// This process's index of the handler, which is the primary's as well once align_ops_table() was called.
int32_t own_handler() {
  const auto* table = &rte_mempool_ops_table;  // the variable has the name of its type
  for (uint32_t i = 0; i < table->num_ops; i++) {
    if (strcmp(table->ops[i].name, kHandler) == 0) return static_cast<int32_t>(i);
  }
  throw Error("ERR_MEMPOOL_OPS", "dpcap has no mempool handler ring_mp_mc (librte_mempool_ring)");
}

size_t mbuf_bytes(const rte_mempool* pool) { return pool->header_size + pool->elt_size + pool->trailer_size; }

// Makes one mbuf of `pool`, as rte_mempool_populate_iova() and rte_pktmbuf_init() do. Nobody gives these copies to a
// device, so they need no address for its DMA.
void* make_mbuf(rte_mempool* pool, char* memory, uint32_t index) {
  auto* header = reinterpret_cast<rte_mempool_objhdr*>(memory + pool->header_size - sizeof(rte_mempool_objhdr));
  memset(static_cast<void*>(header), 0, sizeof *header);
  header->mp = pool;
  header->iova = RTE_BAD_IOVA;
  void* mbuf = memory + pool->header_size;
  rte_pktmbuf_init(pool, nullptr, mbuf, index);
  return mbuf;
}

}  // namespace

CaptureMempool::CaptureMempool(const std::string& name, const Size& size, SharedPieces& pieces, Notify wants_more)
    : name_(name),
      pieces_(pieces),
      planned_(size.mbufs),
      most_(std::max(size.mbufs, size.most)),
      data_room_(size.data_room),
      on_wish_(std::move(wants_more)),
      bulks_(bulk_size(size.mbufs)) {
  rte_ring* ring = make_copy_ring(pieces_, most_);  // first: if it threw later, nobody would free the header
  make_header();
  pool_->pool_data = ring;
}

// The handler is ring_mp_mc, by name: the platform's preferred handler may be hardware that only the primary has.
void CaptureMempool::make_header() {
  const uint64_t before = now_ns(CLOCK_MONOTONIC);
  const uint32_t element = static_cast<uint32_t>(sizeof(rte_mbuf)) + data_room_;
  pool_ = rte_mempool_create_empty(name_.c_str(), most_, element, cache_size(planned_),
                                   sizeof(rte_pktmbuf_pool_private), main_socket(), 0);
  if (pool_ == nullptr) throw no_memory(name_, rte_errno, before);
  pool_->ops_index = own_handler();
  rte_pktmbuf_pool_private data;
  memset(&data, 0, sizeof data);
  data.mbuf_data_room_size = static_cast<uint16_t>(data_room_);
  rte_pktmbuf_pool_init(pool_, &data);
  fault_point("pool.made");
}

bool CaptureMempool::grow(uint32_t pieces, uint32_t up_to) {
  up_to = std::min(up_to, most_);
  wants_more_ = false;
  try {
    for (; pieces > 0 && mbufs_ + fresh_.size() < up_to; pieces--) add_piece(up_to);
  } catch (const Error&) {
    if (is_open_) add_members();
    throw;
  }
  if (is_open_) add_members();
  return mbufs_ + bulks_.size() <= up_to;
}

uint32_t CaptureMempool::add_piece(uint32_t up_to) {
  const size_t bytes = mbuf_bytes(pool_);
  const size_t piece = std::max(bytes, SharedPieces::kPieceBytes);
  char* memory = static_cast<char*>(pieces_.take_piece(piece));
  const auto already = static_cast<uint32_t>(mbufs_ + fresh_.size());
  const uint32_t count = std::min(static_cast<uint32_t>(piece / bytes), up_to - already);
  for (uint32_t i = 0; i < count; i++) fresh_.push_back(make_mbuf(pool_, memory + i * bytes, already + i));
  return count;
}

void CaptureMempool::open() {
  is_open_ = true;
  add_members();
}

// The mbufs of an incomplete bulk wait for their neighbours: otherwise a core would take from two bulks.
void CaptureMempool::add_members() {
  const size_t whole = fresh_.size() / bulks_.size() * bulks_.size();
  if (whole == 0) return;
  std::sort(fresh_.begin(), fresh_.end());  // before the lock makes the other threads wait
  std::vector<void*> members(fresh_.begin(), fresh_.begin() + static_cast<ptrdiff_t>(whole));
  fresh_.erase(fresh_.begin(), fresh_.begin() + static_cast<ptrdiff_t>(whole));
  const std::lock_guard<std::mutex> lock(giving_back_);
  note_dry();
  mbufs_ += static_cast<uint32_t>(whole);
  enqueue(bulks_.add(std::move(members)));
}

void CaptureMempool::enqueue(const MbufBulks::Bulk& bulk) {
  rte_mempool_ops_enqueue_bulk(pool_, bulk.mbufs, bulk.count);
}

void CaptureMempool::give_back(rte_mbuf* const* segments, uint32_t count) {
  const std::lock_guard<std::mutex> lock(giving_back_);
  note_dry();
  allow();
  for (uint32_t i = 0; i < count; i++) {
    const MbufBulks::Bulk bulk = bulks_.came_back(segments[i]);
    if (bulk.count != 0) enqueue(bulk);
  }
  kept_.store(bulks_.kept(), std::memory_order_relaxed);
}

void CaptureMempool::circulate(const Circle& circle) {
  const std::lock_guard<std::mutex> lock(giving_back_);
  most_free_ = circle.free;
  bulks_.keep_out(circle.out);
  hand_out_kept();
}

void CaptureMempool::top_up() {
  if (kept_.load(std::memory_order_relaxed) == 0) return;
  const std::lock_guard<std::mutex> lock(giving_back_);
  hand_out_kept();
}

// Allows as many mbufs as the primary took since the last time.
void CaptureMempool::allow() {
  const uint32_t free = most_free_ == UINT32_MAX ? 0 : in_ring();
  bulks_.allow(most_free_ > free ? most_free_ - free : 0);
}

// The primary only takes mbufs, so that it has never found none where some are left when others are added.
void CaptureMempool::note_dry() {
  if (in_ring() == 0) dried_.fetch_add(1, std::memory_order_relaxed);
}

void CaptureMempool::hand_out_kept() {
  note_dry();
  allow();
  for (auto bulk = bulks_.next_kept(); bulk.count != 0; bulk = bulks_.next_kept()) {
    kept_.store(bulks_.kept(), std::memory_order_relaxed);  // first, so that available() never counts one twice
    enqueue(bulk);
  }
}

void CaptureMempool::want_more() {
  if (mbufs_ < most_ && !wants_more_.exchange(true) && on_wish_) on_wish_();
}

void CaptureMempool::free() {
  pool_->pool_data = nullptr;  // the ring lies in the pieces, so DPDK must not free it
  rte_mempool_free(pool_);
  pool_ = nullptr;
}

// Goes by the memzone: its maker may have died before the mempool was in DPDK's list.
rte_mempool* foreign_pool(const std::string& zone_name) {
  const rte_memzone* zone = rte_memzone_lookup(zone_name.c_str());
  if (zone == nullptr) return nullptr;
  auto* pool = static_cast<rte_mempool*>(zone->addr);
  const bool is_made = pool->mz == zone && zone_name == std::string("MP_") + pool->name;
  return is_made && STAILQ_EMPTY(&pool->mem_list) ? pool : nullptr;
}

void free_foreign_pool(const std::string& zone_name) {
  if (rte_mempool* pool = foreign_pool(zone_name)) {
    pool->pool_data = nullptr;
    pool->ops_index = own_handler();  // its maker may have died before the mempool had one
    rte_mempool_free(pool);
  }
  rte_memzone_free(rte_memzone_lookup(zone_name.c_str()));
}

}  // namespace dpcap
