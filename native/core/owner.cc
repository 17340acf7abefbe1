#include "core/owner.h"

#include <rte_config.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_ring.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <ctime>

#include "core/copy_pool.h"
#include "core/error.h"
#include "core/now.h"

namespace dpcap {
namespace {

constexpr uint32_t kMagic = 0x64706361;  // "dpca"
constexpr char kPrefix[] = "dpcap_";

OwnerHeader* header_of(const rte_memzone* zone) {
  if (zone == nullptr || zone->len < sizeof(OwnerHeader)) return nullptr;
  auto* header = static_cast<OwnerHeader*>(zone->addr);
  if (header->magic != kMagic) return nullptr;
  const size_t room = (zone->len - sizeof(OwnerHeader)) / sizeof(OwnerTarget);
  return header->target_count <= room ? header : nullptr;
}

void free_rings(const ProcessId& process, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) rte_ring_free(rte_ring_lookup(ring_name(process, i).c_str()));
}

ProcessId process_of(const OwnerHeader& header) { return {header.pid, header.start_time, header.pid_namespace}; }

// Two recoveries at once would free everything twice. One that died half-way gives way to the next.
void claim(OwnerHeader* header, const std::string& name) {
  const int32_t self = getpid();
  int32_t holder = __atomic_load_n(&header->recoverer, __ATOMIC_ACQUIRE);
  while (holder != self) {
    if (holder != 0 && start_time_of(holder) != 0) {
      throw Error("ERR_CAPTURE_BUSY", name + " is being cleared by pid " + std::to_string(holder), EBUSY, name);
    }
    __atomic_compare_exchange_n(&header->recoverer, &holder, self, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    holder = __atomic_load_n(&header->recoverer, __ATOMIC_ACQUIRE);
  }
}

std::string bounded(const char* text, size_t size) { return std::string(text, strnlen(text, size)); }

}  // namespace

std::string owner_name(const ProcessId& process) {
  char name[RTE_MEMZONE_NAMESIZE];
  snprintf(name, sizeof name, "%s%d_%x", kPrefix, process.pid, static_cast<uint32_t>(process.start_time));
  return name;
}

std::string ring_name(const ProcessId& process, unsigned index) {
  return owner_name(process) + "_" + std::to_string(index);
}

OwnerRecord::OwnerRecord(const std::vector<PdumpTarget>& targets, const std::string& purpose) {
  const ProcessId self = current_process();
  name_ = owner_name(self);
  const size_t size = sizeof(OwnerHeader) + targets.size() * sizeof(OwnerTarget);
  zone_ = rte_memzone_reserve(name_.c_str(), size, SOCKET_ID_ANY, 0);
  if (zone_ == nullptr) throw Error("ERR_NO_MEMORY", "cannot reserve the owner record " + name_, rte_errno, name_);

  header_ = static_cast<OwnerHeader*>(zone_->addr);
  memset(static_cast<void*>(header_), 0, size);
  header_->pid = self.pid;
  header_->start_time = self.start_time;
  header_->pid_namespace = self.pid_namespace;
  header_->started_at_ns = now_ns(CLOCK_REALTIME);
  strncpy(header_->pool, name_.c_str(), sizeof header_->pool - 1);
  strncpy(header_->purpose, purpose.c_str(), sizeof header_->purpose - 1);
  header_->target_count = static_cast<uint32_t>(targets.size());
  for (size_t i = 0; i < targets.size(); i++) {
    OwnerTarget& target = header_->targets()[i];
    strncpy(target.device, targets[i].device.c_str(), sizeof target.device - 1);
    target.queue = targets[i].queue;
    target.direction = static_cast<uint16_t>(targets[i].direction);
    target.state = TargetState::disabled;
  }
  header_->magic = kMagic;
}

OwnerRecord::~OwnerRecord() { rte_memzone_free(zone_); }

namespace {

struct Found {
  std::vector<OwnerFacts> owners;
};

void add_owner(const rte_memzone* zone, void* opaque) {
  if (strncmp(zone->name, kPrefix, sizeof kPrefix - 1) != 0) return;
  const OwnerHeader* header = header_of(zone);
  if (header == nullptr) return;
  OwnerFacts facts;
  facts.name = zone->name;
  facts.process = process_of(*header);
  facts.running = is_running(facts.process);
  facts.started_at_ns = header->started_at_ns;
  facts.purpose = bounded(header->purpose, sizeof header->purpose);
  for (uint32_t i = 0; i < header->target_count; i++) {
    const OwnerTarget& target = header->targets()[i];
    facts.targets.push_back({bounded(target.device, sizeof target.device), target.queue,
                             static_cast<Direction>(target.direction), target.state != TargetState::disabled});
  }
  static_cast<Found*>(opaque)->owners.push_back(std::move(facts));
}

OwnerHeader* dead_owner(const std::string& name, const rte_memzone** zone) {
  *zone = rte_memzone_lookup(name.c_str());
  OwnerHeader* header = header_of(*zone);
  if (header == nullptr) throw Error("ERR_SYSTEM", "there is no owner record " + name, ENOENT, name);
  if (is_running(process_of(*header))) {
    throw Error("ERR_CAPTURE_BUSY", "the owner of " + name + " is running", EBUSY, name);
  }
  claim(header, name);
  return header;
}

}  // namespace

std::vector<OwnerFacts> list_owners() {
  Found found;
  rte_memzone_walk(add_owner, &found);
  return found.owners;
}

namespace {

bool held_by_another(const std::vector<OwnerFacts>& owners, const PdumpTarget& wanted) {
  for (const OwnerFacts& owner : owners) {
    for (const OwnerFacts::Target& target : owner.targets) {
      if (owner.running && target.live && target.device == wanted.device && target.queue == wanted.queue &&
          target.direction == wanted.direction) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

std::vector<std::string> disable_owner(const std::string& name, int timeout_ms) {
  const rte_memzone* zone;
  OwnerHeader* header = dead_owner(name, &zone);
  const std::vector<OwnerFacts> owners = list_owners();
  std::vector<std::string> in_doubt;
  for (uint32_t i = 0; i < header->target_count; i++) {
    OwnerTarget& target = header->targets()[i];
    if (target.state == TargetState::disabled) continue;
    const PdumpTarget wanted{bounded(target.device, sizeof target.device), target.queue,
                             static_cast<Direction>(target.direction)};
    if (held_by_another(owners, wanted) || pdump_disable(wanted, timeout_ms).outcome == Outcome::done) {
      target.state = TargetState::disabled;
    } else {
      in_doubt.push_back(text_of(wanted));
    }
  }
  return in_doubt;
}

void free_owner(const std::string& name) {
  const rte_memzone* zone;
  OwnerHeader* header = dead_owner(name, &zone);
  for (uint32_t i = 0; i < header->target_count; i++) {
    if (header->targets()[i].state != TargetState::disabled) {
      throw Error("ERR_DISABLE_FAILED", "a target of " + name + " may still be enabled", EBUSY, name);
    }
  }
  free_rings(process_of(*header), header->target_count);
  free_foreign_pool(bounded(header->pool, sizeof header->pool));
  rte_free(header->program);
  rte_memzone_free(zone);
}

}  // namespace dpcap
