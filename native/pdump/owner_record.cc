#include "pdump/owner_record.h"

#include <rte_config.h>
#include <rte_errno.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/fault_point.h"
#include "base/now.h"
#include "pdump/memory/mempool.h"
#include "pdump/memory/shared_pieces.h"
#include "primary/mapping.h"

namespace dpcap {
namespace {

constexpr uint32_t kMagic = 0x64706332;  // "dpc2"

std::string bounded(const char* text, size_t size) { return std::string(text, strnlen(text, size)); }

ProcessId process_of(const OwnerHeader& header) { return {header.pid, header.start_time, header.pid_namespace}; }

// What a name says of its record's owner. Nothing, for a name with anything else in it: see owner_name().
struct Named {
  int pid = 0;
  unsigned start = 0;
  unsigned number = 0;
};
std::optional<Named> read_name(const char* name) {
  Named named;
  int length = 0;
  if (sscanf(name, "dpcap_%d_%x%n", &named.pid, &named.start, &length) != 2) return std::nullopt;
  if (name[length] == '.') {
    int more = 0;
    if (sscanf(name + length, ".%u%n", &named.number, &more) != 1) return std::nullopt;
    length += more;
  }
  return name[length] == '\0' ? std::make_optional(named) : std::nullopt;
}

// A record as it was at one moment.
struct Copy {
  std::string name;
  std::vector<uint8_t> bytes;
};

// Runs under the lock of the memzone list, which keeps the zones in place. It only copies, and judges nothing.
void copy_record(const rte_memzone* zone, void* opaque) {
  constexpr size_t kLargest = sizeof(OwnerHeader) + 65536 * sizeof(OwnerLane);
  if (!read_name(zone->name) || zone->len < sizeof(OwnerHeader) || !is_mapped_here(zone->addr)) return;
  const auto* bytes = static_cast<const uint8_t*>(zone->addr);
  // Its owner writes the magic number last, so what counts is whether it was there before the rest was copied.
  const uint32_t magic = __atomic_load_n(&static_cast<const OwnerHeader*>(zone->addr)->magic, __ATOMIC_ACQUIRE);
  std::vector<uint8_t> copy(bytes, bytes + std::min(zone->len, kLargest));
  memcpy(copy.data() + offsetof(OwnerHeader, magic), &magic, sizeof magic);
  static_cast<std::vector<Copy>*>(opaque)->push_back({zone->name, std::move(copy)});
}

OwnerFacts dead_owner(const std::string& name, const std::vector<OwnerFacts>& owners) {
  for (const OwnerFacts& owner : owners) {
    if (owner.name != name) continue;
    if (owner.running) throw Error("ERR_CAPTURE_BUSY", "the owner of " + name + " is running", EBUSY, name);
    return owner;
  }
  throw Error("ERR_SYSTEM", "there is no owner record " + name, ENOENT, name);
}

bool held_by_another(const std::vector<OwnerFacts>& owners, const LaneId& wanted) {
  for (const OwnerFacts& owner : owners) {
    for (const OwnerFacts::Lane& held : owner.lanes) {
      if (owner.running && held.state != CallbackState::disabled && held.id.port == wanted.port &&
          held.id.queue == wanted.queue && held.id.direction == wanted.direction) {
        return true;
      }
    }
  }
  return false;
}

// Uses the dead capture's own mempool, and that mempool's ring for the copies: an mbuf put there has only come back.
Removal disable_taken(const std::string& name, const LaneId& lane, int timeout_ms) {
  rte_mempool* pool = foreign_pool("MP_" + name);
  if (pool == nullptr || pool->pool_data == nullptr) return Removal::taken;
  auto* ring = static_cast<rte_ring*>(pool->pool_data);
  return pdump_disable_unless_taken(lane, {CopyMode::plain, 0, ring, pool, nullptr}, timeout_ms);
}

// Returns the lanes in a dead owner's record: only this process still changes their states.
OwnerLane* lanes_in(const std::string& name) {
  const rte_memzone* zone = rte_memzone_lookup(name.c_str());
  return zone == nullptr ? nullptr : static_cast<OwnerHeader*>(zone->addr)->lanes();
}

}  // namespace

std::string owner_name(const ProcessId& process, uint32_t number) {
  char name[RTE_MEMZONE_NAMESIZE];
  snprintf(name, sizeof name, "dpcap_%d_%x", process.pid, static_cast<uint32_t>(process.start_time));
  return number == 0 ? name : name + ("." + std::to_string(number));
}

OwnerFacts read_owner(const std::string& name, const std::vector<uint8_t>& bytes) {
  const auto* header = reinterpret_cast<const OwnerHeader*>(bytes.data());
  OwnerFacts facts{name, {}, false, 0, "", {}};
  const size_t room = (bytes.size() - sizeof(OwnerHeader)) / sizeof(OwnerLane);
  if (header->magic != kMagic || owner_name(process_of(*header), header->number) != name || header->lane_count > room) {
    const Named named = read_name(name.c_str()).value_or(Named{});
    facts.process.pid = named.pid;
    facts.process.start_time = start_time_of(facts.process.pid);
    facts.process.pid_namespace = own_pid_namespace();
    facts.running = life_of(facts.process.pid, named.start) != Life::gone;
    return facts;
  }
  facts.process = process_of(*header);
  facts.running = is_running(facts.process);
  facts.started_at_ns = header->started_at_ns;
  facts.purpose = bounded(header->purpose, sizeof header->purpose);
  for (uint32_t i = 0; i < header->lane_count; i++) {
    const OwnerLane& lane = header->lanes()[i];
    const auto direction = static_cast<Direction>(lane.direction);
    facts.lanes.push_back({{bounded(lane.device, sizeof lane.device), lane.port, lane.queue, direction}, lane.state});
  }
  return facts;
}

OwnerRecord::OwnerRecord(uint32_t number, const std::vector<LaneId>& lanes, const std::string& purpose) {
  const ProcessId self = current_process();
  name_ = owner_name(self, number);
  const size_t size = sizeof(OwnerHeader) + lanes.size() * sizeof(OwnerLane);
  header_ = static_cast<OwnerHeader*>(reserve_zone(name_, size)->addr);
  fault_point("record.reserved");
  memset(static_cast<void*>(header_), 0, size);
  header_->pid = self.pid;
  header_->number = number;
  header_->start_time = self.start_time;
  header_->pid_namespace = self.pid_namespace;
  header_->started_at_ns = now_ns(CLOCK_REALTIME);
  strncpy(header_->purpose, purpose.c_str(), sizeof header_->purpose - 1);
  header_->lane_count = static_cast<uint32_t>(lanes.size());
  for (size_t i = 0; i < lanes.size(); i++) {
    OwnerLane& lane = header_->lanes()[i];
    strncpy(lane.device, lanes[i].device.c_str(), sizeof lane.device - 1);
    lane.port = lanes[i].port;
    lane.queue = lanes[i].queue;
    lane.direction = static_cast<uint16_t>(lanes[i].direction);
    lane.state = CallbackState::disabled;
  }
  // Release: whoever sees it sees the rest as well (copy_record).
  __atomic_store_n(&header_->magic, kMagic, __ATOMIC_RELEASE);
}

void OwnerRecord::free() {
  rte_memzone_free(rte_memzone_lookup(name_.c_str()));
  fault_point("free.record");
}

std::vector<OwnerFacts> list_owners() {
  std::vector<Copy> copies;
  rte_memzone_walk(copy_record, &copies);
  std::vector<OwnerFacts> owners;
  for (const Copy& copy : copies) owners.push_back(read_owner(copy.name, copy.bytes));
  return owners;
}

std::vector<std::string> disable_owner(const std::string& name, int timeout_ms) {
  fault_point("recover.claimed");
  const std::vector<OwnerFacts> owners = list_owners();
  const OwnerFacts owner = dead_owner(name, owners);
  std::vector<std::string> in_doubt;
  for (size_t i = 0; i < owner.lanes.size(); i++) {
    const LaneId& lane = owner.lanes[i].id;
    if (owner.lanes[i].state == CallbackState::disabled) continue;
    const Removal removal = held_by_another(owners, lane)                  ? Removal::absent
                            : owner.lanes[i].state == CallbackState::taken ? disable_taken(name, lane, timeout_ms)
                                                                           : pdump_disable(lane, timeout_ms);
    if (is_off(removal)) {
      lanes_in(name)[i].state = CallbackState::disabled;
    } else {
      in_doubt.push_back(text_of(lane) + ": " + reason_of(removal));
    }
  }
  fault_point("recover.disabled");
  return in_doubt;
}

void free_owner(const std::string& name, const std::atomic<bool>& is_abandoned) {
  const OwnerFacts owner = dead_owner(name, list_owners());
  for (const OwnerFacts::Lane& lane : owner.lanes) {
    if (lane.state == CallbackState::disabled) continue;
    throw Error("ERR_DISABLE_FAILED", text_of(lane.id) + " of " + name + " may still be enabled", EBUSY, name);
  }
  std::vector<std::string> zones = zones_of(name);
  const bool has_pool = !zones.empty() && zones.back() == "MP_" + name;
  if (has_pool) zones.pop_back();
  if (!free_zones(zones, is_abandoned, "recover.free.piece")) {
    throw Error("ERR_PRIMARY_TIMEOUT", "the primary did not take all memory of " + name + " back", ETIMEDOUT, name);
  }
  if (has_pool) free_foreign_pool("MP_" + name);
  rte_memzone_free(rte_memzone_lookup(name.c_str()));
  fault_point("recover.free.record");
}

}  // namespace dpcap
