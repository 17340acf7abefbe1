#include "agent/agent_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/error.h"

namespace dpcap {
namespace {

constexpr uint32_t kMostSegments = 1u << 16;
constexpr uint32_t kMostBursts = 1u << 24;
constexpr uint32_t kMostSegmentBytes = 1u << 24;

uint64_t size_of(const Descriptor& fd) {
  struct stat status;
  return fstat(fd.get(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

// Whoever made it could take its pages away otherwise, and this process would end by SIGBUS.
bool is_sealed(const Descriptor& fd) {
  const int seals = fcntl(fd.get(), F_GET_SEALS);
  return seals >= 0 && (seals & F_SEAL_SHRINK) != 0;
}

void* map(const Descriptor& fd, size_t bytes, int protection) {
  void* const mapped = mmap(nullptr, bytes, protection, MAP_SHARED, fd.get(), 0);
  if (mapped == MAP_FAILED) throw Error("ERR_NO_MEMORY", "cannot map the memory of the agent", errno);
  return mapped;
}

}  // namespace

AgentMemory::AgentMemory(const dpcap_agent_prepared& made, uint32_t lanes, const std::vector<Descriptor>& descriptors)
    : segments_(made.segments),
      segment_bytes_(made.segment_bytes),
      bursts_(made.bursts),
      lanes_(lanes),
      has_huge_pages_(made.huge_pages != 0) {
  const bool is_sane = descriptors.size() == 2 && segments_ > 0 && segments_ <= kMostSegments && segment_bytes_ > 0 &&
                       segment_bytes_ <= kMostSegmentBytes && bursts_ > 0 && bursts_ <= kMostBursts &&
                       (bursts_ & (bursts_ - 1)) == 0;
  const uint64_t control_bytes = dpcap_agent_control_bytes(segments_, lanes_, bursts_);
  if (!is_sane || size_of(descriptors[0]) < control_bytes || size_of(descriptors[1]) < data_bytes() ||
      !is_sealed(descriptors[0]) || !is_sealed(descriptors[1])) {
    throw Error("ERR_VERSION_MISMATCH", "the agent's memory is not as it says", EPROTO);
  }
  data_ = static_cast<const uint8_t*>(map(descriptors[1], data_bytes(), PROT_READ));
  try {
    control_ = static_cast<uint8_t*>(map(descriptors[0], control_bytes, PROT_READ | PROT_WRITE));
  } catch (const Error&) {
    munmap(const_cast<uint8_t*>(data_), data_bytes());
    throw;
  }
}

AgentMemory::~AgentMemory() {
  munmap(control_, dpcap_agent_control_bytes(segments_, lanes_, bursts_));
  munmap(const_cast<uint8_t*>(data_), data_bytes());
}

dpcap_agent_shared_lane& AgentMemory::lane(uint32_t index) const {
  return reinterpret_cast<dpcap_agent_shared_lane*>(control_ + dpcap_agent_lanes_offset(segments_))[index];
}

const dpcap_agent_burst* AgentMemory::bursts(uint32_t index) const {
  const uint8_t* const first = control_ + dpcap_agent_bursts_offset(segments_, lanes_);
  return reinterpret_cast<const dpcap_agent_burst*>(first) + size_t{index} * bursts_;
}

}  // namespace dpcap
