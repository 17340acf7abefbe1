// The memory of a session as the engine sees it: control words that both sides write, and records that it only reads.
// The drain thread consumes; any thread reads counters.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent/agent_client.h"
#include "agent/protocol.h"

namespace dpcap {

class AgentMemory {
 public:
  // Maps what the agent has sent. Throws ERR_VERSION_MISMATCH when it is not what it should be, and ERR_NO_MEMORY.
  AgentMemory(const dpcap_agent_prepared& made, uint32_t lanes, const std::vector<Descriptor>& descriptors);
  ~AgentMemory();
  AgentMemory(const AgentMemory&) = delete;
  AgentMemory& operator=(const AgentMemory&) = delete;

  dpcap_agent_shared_lane& lane(uint32_t index) const;
  const dpcap_agent_burst* bursts(uint32_t index) const;
  uint32_t burst_mask() const { return bursts_ - 1; }
  uint32_t segments() const { return segments_; }
  uint32_t segment_bytes() const { return segment_bytes_; }
  bool has_huge_pages() const { return has_huge_pages_; }
  uint64_t data_bytes() const { return uint64_t{segments_} * segment_bytes_; }
  const uint8_t* segment(uint32_t index) const { return data_ + size_t{index} * segment_bytes_; }
  // Gives a segment back to the agent.
  void release(uint32_t index) { __atomic_store_n(&control_[index], uint8_t{0}, __ATOMIC_RELEASE); }

 private:
  const uint32_t segments_;
  const uint32_t segment_bytes_;
  const uint32_t bursts_;
  const uint32_t lanes_;
  const bool has_huge_pages_;
  uint8_t* control_ = nullptr;
  const uint8_t* data_ = nullptr;
};

}  // namespace dpcap
