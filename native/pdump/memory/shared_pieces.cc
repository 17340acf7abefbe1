#include "pdump/memory/shared_pieces.h"

#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_memory.h>
#include <rte_memzone.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <map>
#include <utility>

#include "base/error.h"
#include "base/fault_point.h"
#include "base/now.h"

namespace dpcap {
namespace {

// Long enough for a thread that waits for the lock to get it: such a thread tries again within a microsecond.
constexpr long kPauseNs = 200'000;
// EAL waits 5 s for the primary (MP_TIMEOUT_S, malloc_mp.c). A request that took nearly as long was not answered, and a
// later request may get memory that the primary is about to take back (rollback_expand_heap, all releases to 26.07).
constexpr uint64_t kUnansweredNs = 4'500'000'000;
// When another secondary is stopped, the primary waits for it with each page that is given back.
constexpr uint64_t kSlowFreeNs = 1'000'000'000;

void let_the_primary_in() {
  const timespec pause = {0, kPauseNs};
  nanosleep(&pause, nullptr);
}

struct Place {
  int socket = SOCKET_ID_ANY;
  uint64_t page_bytes = 0;
};

// Where the primary has most of its memory. Requests name the socket and the page size exactly: for any socket and any
// page size, EAL would ask the primary again and again after a request that failed.
Place main_place() {
  std::map<std::pair<int, uint64_t>, uint64_t> bytes;
  rte_memseg_list_walk(
      [](const rte_memseg_list* list, void* opaque) {
        if (list->external || list->memseg_arr.count == 0) return 0;
        auto* sums = static_cast<std::map<std::pair<int, uint64_t>, uint64_t>*>(opaque);
        (*sums)[{list->socket_id, list->page_sz}] += list->page_sz * list->memseg_arr.count;
        return 0;
      },
      &bytes);
  const auto most =
      std::max_element(bytes.begin(), bytes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == bytes.end() ? Place{} : Place{most->first.first, most->first.second};
}

unsigned flags_for(uint64_t page_bytes) {
  if (page_bytes == RTE_PGSIZE_2M) return RTE_MEMZONE_2MB;
  return page_bytes == RTE_PGSIZE_1G ? RTE_MEMZONE_1GB : 0;
}

}  // namespace

HeapRoom heap_room() {
  const Place place = main_place();
  rte_malloc_socket_stats stats;
  if (place.page_bytes == 0 || rte_malloc_get_socket_stats(place.socket, &stats) != 0) {
    throw Error("ERR_NO_MEMORY", "the primary has no memory in huge pages", ENOMEM);
  }
  return {stats.heap_freesz_bytes, stats.greatest_free_size, stats.heap_totalsz_bytes, place.page_bytes, place.socket};
}

const rte_memzone* reserve_zone(const std::string& name, size_t bytes) {
  static const Place place = main_place();
  const uint64_t before = now_ns(CLOCK_MONOTONIC);
  const rte_memzone* zone = rte_memzone_reserve(name.c_str(), bytes, place.socket, flags_for(place.page_bytes));
  if (zone == nullptr) throw no_memory(name, rte_errno, before);
  return zone;
}

Error no_memory(const std::string& name, int err, uint64_t asked_at_ns) {
  if (now_ns(CLOCK_MONOTONIC) - asked_at_ns >= kUnansweredNs) {
    return Error("ERR_PRIMARY_TIMEOUT", "the primary did not answer a request for memory", ETIMEDOUT, name);
  }
  return Error("ERR_NO_MEMORY", "the primary's huge pages have no room for " + name, err, name);
}

int main_socket() { return main_place().socket; }

SharedPieces::SharedPieces(std::string name) : name_(std::move(name)) {}

void* SharedPieces::take(size_t bytes) {
  bytes = RTE_CACHE_LINE_ROUNDUP(bytes);
  if (bytes > left_) {
    // For rings of up to a page: where one would leave half of a page unused, three share two pages.
    const size_t piece = std::max(bytes, bytes > kPieceBytes / 3 ? 2 * kPieceBytes : kPieceBytes);
    next_ = static_cast<char*>(take_piece(piece));
    left_ = piece;
  }
  left_ -= bytes;
  memset(next_, 0, bytes);  // memory that an earlier primary has left may be dirty (--huge-unlink=never)
  return std::exchange(next_, next_ + bytes);
}

void* SharedPieces::take_piece(size_t bytes) {
  if (is_abandoned_) throw Error("ERR_ABANDONED", "abandoned while memory was taken", ECANCELED);
  const std::string zone_name = name_ + "_" + std::to_string(zones_.size());
  const rte_memzone* zone = reserve_zone(zone_name, bytes);
  zones_.push_back(zone_name);
  bytes_ += bytes;
  fault_point("pool.piece");
  let_the_primary_in();
  return zone->addr;
}

bool SharedPieces::give_back() {
  std::reverse(zones_.begin(), zones_.end());
  next_ = nullptr;
  left_ = 0;
  return free_zones(std::exchange(zones_, {}), is_abandoned_, "free.piece");
}

bool free_zones(const std::vector<std::string>& names, const std::atomic<bool>& is_abandoned, const char* point) {
  for (const std::string& name : names) {
    if (is_abandoned) return false;
    const uint64_t before = now_ns(CLOCK_MONOTONIC);
    rte_memzone_free(rte_memzone_lookup(name.c_str()));
    const uint64_t took = now_ns(CLOCK_MONOTONIC) - before;
    fault_point(point);
    if (took >= kSlowFreeNs && &name != &names.back()) return false;
    let_the_primary_in();
  }
  return true;
}

std::vector<std::string> zones_of(const std::string& owner) {
  struct Found {
    std::string prefix;
    std::string pool;
    std::map<unsigned long, std::string> pieces;
    bool has_pool = false;
  } found{owner + "_", "MP_" + owner, {}, false};
  rte_memzone_walk(
      [](const rte_memzone* zone, void* opaque) {
        auto* all = static_cast<Found*>(opaque);
        if (all->pool == zone->name) all->has_pool = true;
        if (strncmp(zone->name, all->prefix.c_str(), all->prefix.size()) != 0) return;
        all->pieces[strtoul(zone->name + all->prefix.size(), nullptr, 10)] = zone->name;
      },
      &found);
  std::vector<std::string> names;
  for (auto piece = found.pieces.rbegin(); piece != found.pieces.rend(); ++piece) names.push_back(piece->second);
  if (found.has_pool) names.push_back(found.pool);
  return names;
}

}  // namespace dpcap
