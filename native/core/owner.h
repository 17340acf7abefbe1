// The owner record: what a capture has in the primary, in shared memory under a name of its own, so that anyone can
// remove it when the capture died without doing so.
#pragma once
#include <rte_bpf.h>
#include <rte_memzone.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/pdump.h"
#include "core/process_id.h"

namespace dpcap {

enum class TargetState : uint32_t { disabled = 0, requested = 1, enabled = 2 };

// In shared memory: fixed size, no pointers but into shared memory itself.
struct OwnerTarget {
  char device[64];
  uint16_t queue;
  uint16_t direction;
  TargetState state;
};

struct OwnerHeader {
  uint32_t magic;
  uint32_t target_count;
  int32_t pid;
  int32_t recoverer;  // pid of the process that clears this record, 0 while nobody does; claimed by compare and swap
  uint64_t start_time;
  uint64_t pid_namespace;
  uint64_t started_at_ns;  // CLOCK_REALTIME
  rte_bpf_prm* program;
  char pool[RTE_MEMPOOL_NAMESIZE];
  char purpose[128];  // e.g. the command line, for people
  OwnerTarget* targets() { return reinterpret_cast<OwnerTarget*>(this + 1); }
  const OwnerTarget* targets() const { return reinterpret_cast<const OwnerTarget*>(this + 1); }
};

// Names of a process's objects: "dpcap_<pid>_<start time>" and, for rings, "_<index>" behind it. At most 27 characters.
std::string owner_name(const ProcessId& process);
std::string ring_name(const ProcessId& process, unsigned index);

// Our own record. Reserved before anything is enabled, freed after everything was freed.
class OwnerRecord {
 public:
  OwnerRecord(const std::vector<PdumpTarget>& targets, const std::string& purpose);
  ~OwnerRecord();
  OwnerRecord(const OwnerRecord&) = delete;
  OwnerRecord& operator=(const OwnerRecord&) = delete;

  const std::string& name() const { return name_; }
  void set_state(size_t target, TargetState state) { header_->targets()[target].state = state; }
  void set_program(rte_bpf_prm* program) { header_->program = program; }
  // Leaves the record in shared memory for `dpcap recover`.
  void abandon() { zone_ = nullptr; }

 private:
  std::string name_;
  const rte_memzone* zone_;
  OwnerHeader* header_;
};

// One record found in shared memory.
struct OwnerFacts {
  std::string name;
  ProcessId process;
  bool running;
  uint64_t started_at_ns;
  std::string purpose;
  struct Target {
    std::string device;
    uint16_t queue;
    Direction direction;
    bool live;
  };
  std::vector<Target> targets;
};
std::vector<OwnerFacts> list_owners();

// Frees what a dead owner left: its rings, its pool, its program, its record. Its targets must have been disabled and
// the primary must be quiescent. Throws ERR_SYSTEM when the owner lives or is not there.
void free_owner(const std::string& name);

// Sends the primary a disable for every target of a dead owner that may be live. Returns those still in doubt, as text.
// A target that a running capture holds by now is left alone.
std::vector<std::string> disable_owner(const std::string& name, int timeout_ms);

}  // namespace dpcap
