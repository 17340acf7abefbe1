// The owner record lists what a capture has in the primary. It lies in shared memory under a name of its own, so that
// any process can remove all of that when the capture died without doing so.
//
// The record, the mempool and the pieces are memzones whose names all contain the record's name. The record is made
// first and freed last, so whatever is left can be found by names alone, wherever its owner or an earlier recovery
// died.
#pragma once
#include <rte_memzone.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/process/process_id.h"
#include "capture/plan.h"
#include "pdump/client.h"

namespace dpcap {

enum class CallbackState : uint32_t {
  disabled = 0,
  requested = 1,
  enabled = 2,
  taken = 3,  // another tool seems to have removed dpcap's callback and to have its own there
};

// Lies in shared memory, so it has a fixed size and no pointers.
struct OwnerLane {
  char device[64];
  uint16_t port;
  uint16_t queue;
  uint16_t direction;
  uint16_t reserved;
  CallbackState state;
};

struct OwnerHeader {
  uint32_t magic;
  uint32_t lane_count;
  int32_t pid;
  uint32_t number;  // of the capture in its process
  uint64_t start_time;
  uint64_t pid_namespace;
  uint64_t started_at_ns;  // CLOCK_REALTIME
  char purpose[128];       // e.g. the command line, for people
  OwnerLane* lanes() { return reinterpret_cast<OwnerLane*>(this + 1); }
  const OwnerLane* lanes() const { return reinterpret_cast<const OwnerLane*>(this + 1); }
};

// Returns the name of the record of a process's capture, which the names of the capture's other memzones contain:
// "dpcap_<pid>_<start time>" for number 0, with ".<number>" behind it for others. At most 25 characters.
std::string owner_name(const ProcessId& process, uint32_t number);

// The record of a capture of this process. It is reserved before anything is enabled, and freed after everything else.
class OwnerRecord {
 public:
  // Throws as reserve_zone().
  OwnerRecord(uint32_t number, const std::vector<LaneId>& lanes, const std::string& purpose);
  // Leaves the record in shared memory, for `dpcap recover`.
  ~OwnerRecord() = default;
  OwnerRecord(const OwnerRecord&) = delete;
  OwnerRecord& operator=(const OwnerRecord&) = delete;

  const std::string& name() const { return name_; }
  void set_state(size_t lane, CallbackState state) {
    __atomic_store_n(&header_->lanes()[lane].state, state, __ATOMIC_RELEASE);
  }
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
  struct Lane {
    LaneId id;
    CallbackState state;
  };
  std::vector<Lane> lanes;
};
// Reads a record from a copy of its bytes, at least a header. One that its owner had not finished, or that is not one
// of this version, counts as one without lanes: nothing was enabled before it was complete.
OwnerFacts read_owner(const std::string& name, const std::vector<uint8_t>& bytes);
std::vector<OwnerFacts> list_owners();

// Sends the primary a disable request for every lane of a dead owner that may be live. Returns the lanes still in
// doubt, as text with the reason. A lane that a running capture holds by now is left alone, and so is one that another
// tool has taken. Take the recovery lock with try_lock() (host/file_lock.h) first. Throws ERR_SYSTEM when there is no
// such record, and ERR_CAPTURE_BUSY when its owner lives.
std::vector<std::string> disable_owner(const std::string& name, int timeout_ms);

// Frees what a dead owner left: its pieces, its mempool, its record. All of its lanes must be disabled, and the primary
// must be known to be out of their callbacks. Throws as disable_owner(), ERR_DISABLE_FAILED when a lane is not
// disabled, and ERR_PRIMARY_TIMEOUT when the primary took too long for a piece or `is_abandoned` ended the call:
// another recovery goes on from there.
void free_owner(const std::string& name, const std::atomic<bool>& is_abandoned);

}  // namespace dpcap
