// The owner record: what a capture has in the primary, in shared memory under a name of its own, so that anyone can
// remove it when the capture died without doing so.
//
// Record, mempool and pieces are memory zones whose names begin alike. The record is the first to come and the last to
// go, so whatever is left can be found by names alone, wherever its owner or an earlier recovery died.
#pragma once
#include <rte_memzone.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/process_id.h"
#include "pdump/client.h"

namespace dpcap {

enum class TargetState : uint32_t {
  disabled = 0,
  requested = 1,
  enabled = 2,
  taken = 3,  // another tool has removed our callback and has one of its own there, it seems
};

// In shared memory: fixed size, no pointers.
struct OwnerTarget {
  char device[64];
  uint16_t port;
  uint16_t queue;
  uint16_t direction;
  uint16_t reserved;
  TargetState state;
};

struct OwnerHeader {
  uint32_t magic;
  uint32_t target_count;
  int32_t pid;
  uint32_t reserved;
  uint64_t start_time;
  uint64_t pid_namespace;
  uint64_t started_at_ns;  // CLOCK_REALTIME
  char purpose[128];       // e.g. the command line, for people
  OwnerTarget* targets() { return reinterpret_cast<OwnerTarget*>(this + 1); }
  const OwnerTarget* targets() const { return reinterpret_cast<const OwnerTarget*>(this + 1); }
};

// Name of a process's record, "dpcap_<pid>_<start time>", which those of its other zones contain. At most 22
// characters.
std::string owner_name(const ProcessId& process);

// Our own record. Reserved before anything is enabled, freed after everything was freed.
class OwnerRecord {
 public:
  // Throws as reserve_zone().
  OwnerRecord(const std::vector<PdumpTarget>& targets, const std::string& purpose);
  // Leaves the record in shared memory, for `dpcap recover`.
  ~OwnerRecord() = default;
  OwnerRecord(const OwnerRecord&) = delete;
  OwnerRecord& operator=(const OwnerRecord&) = delete;

  const std::string& name() const { return name_; }
  void set_state(size_t target, TargetState state) { header_->targets()[target].state = state; }
  void free();

 private:
  std::string name_;
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
    PdumpTarget target;
    TargetState state;
  };
  std::vector<Target> targets;
};
std::vector<OwnerFacts> list_owners();

// Takes a lock on the file `path`, which is made when it is not there, until the descriptor that is returned is closed
// or this process ends. -1 while another process holds it. Throws ERR_SYSTEM.
int try_lock(const std::string& path);

// Sends the primary a disable for every target of a dead owner that may be live. Returns those still in doubt, as text
// with the reason. A target that a running capture holds by now is left alone, and so is one that another tool has
// taken. lock_recovery() first. Throws ERR_SYSTEM when there is no such record, ERR_CAPTURE_BUSY when its owner lives.
std::vector<std::string> disable_owner(const std::string& name, int timeout_ms);

// Frees what a dead owner left: its pieces, its mempool, its record. All of its targets must be disabled and the
// primary known to be out of it. Throws as disable_owner(), ERR_DISABLE_FAILED when a target is not, and
// ERR_PRIMARY_TIMEOUT when the primary took too long for one, or `is_abandoned` ended it: another recovery goes on from
// there.
void free_owner(const std::string& name, const std::atomic<bool>& is_abandoned);

}  // namespace dpcap
