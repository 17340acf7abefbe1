#include "recorder/box_facts.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace dpcap {
namespace {

// Less may be the agent's clock, which follows the system's.
constexpr uint64_t kSetBackNs = 1'000'000'000;

constexpr uint32_t kMostSegments = 1u << 18;
constexpr uint32_t kLeastSegmentBytes = 1u << 16;
constexpr uint32_t kMostSegmentBytes = 1u << 24;

Error no_box(const std::string& why) {
  return Error("ERR_RECORDER_FILE", "it is no black box of a recorder: " + why, EINVAL);
}

template <size_t N>
void end_text(char (&text)[N]) {
  text[N - 1] = 0;
}

void check_file(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) throw no_box("it is no regular file");
}

void check_magic(const char (&magic)[sizeof dpcap_box_header::magic]) {
  if (memcmp(magic, DPCAP_BOX_MAGIC, sizeof magic) != 0) throw no_box("it does not begin like one");
}

dpcap_box_header read_header(int fd) {
  dpcap_box_header header{};
  if (read_at(fd, &header, sizeof header, 0) < sizeof header) throw no_box("it is too short");
  check_magic(header.magic);
  if (header.version != DPCAP_BOX_VERSION) {
    throw Error("ERR_VERSION_MISMATCH",
                "the black box is of version " + std::to_string(header.version) + ", this dpcap knows version " +
                    std::to_string(DPCAP_BOX_VERSION),
                EPROTO);
  }
  end_text(header.boot_id);
  end_text(header.program);
  end_text(header.file_prefix);
  end_text(header.dpdk_version);
  end_text(header.filter);
  return header;
}

// All offsets follow from the number of segments, which has to be one that the agent makes.
void check_layout(const dpcap_box_header& header) {
  const bool is_sane = header.lane_slots == DPCAP_BOX_LANES && header.lane_count <= DPCAP_BOX_LANES &&
                       header.segments > 0 && header.segments <= kMostSegments &&
                       header.segment_bytes >= kLeastSegmentBytes && header.segment_bytes <= kMostSegmentBytes &&
                       header.segments_offset == dpcap_box_segments_offset() &&
                       header.data_offset == dpcap_box_data_offset(header.segments);
  if (!is_sane) throw no_box("its sizes do not agree with one another");
}

std::vector<dpcap_box_lane> read_lanes(int fd, const dpcap_box_header& header) {
  std::vector<dpcap_box_lane> lanes(header.lane_count);
  const size_t bytes = lanes.size() * sizeof(dpcap_box_lane);
  if (read_at(fd, lanes.data(), bytes, DPCAP_BOX_HEADER_BYTES) < bytes) throw no_box("its lanes are cut off");
  for (dpcap_box_lane& lane : lanes) {
    end_text(lane.device);
    const bool is_sane =
        (lane.direction == DPCAP_AGENT_RX || lane.direction == DPCAP_AGENT_TX) && lane.interface < header.lane_count;
    if (!is_sane) throw no_box("a lane of it is not possible");
  }
  return lanes;
}

std::vector<std::string> interfaces_of(const std::vector<dpcap_box_lane>& lanes) {
  std::vector<std::string> names;
  for (const dpcap_box_lane& lane : lanes) {
    if (lane.interface >= names.size()) names.resize(lane.interface + 1, "unknown");
    names[lane.interface] = lane.device;
  }
  return names;
}

uint64_t entry_offset(const dpcap_box_header& header, uint32_t index) {
  return header.segments_offset + uint64_t{index} * sizeof(dpcap_box_segment);
}

// Segments that lie within the file, whole or in part: what was cut off shows when they are read.
void read_segments(int fd, uint64_t file_bytes, BoxFacts& facts) {
  const dpcap_box_header& header = facts.header;
  std::vector<dpcap_box_segment> table(header.segments);
  const size_t bytes = table.size() * sizeof(dpcap_box_segment);
  if (read_at(fd, table.data(), bytes, header.segments_offset) < bytes) throw no_box("its table is cut off");
  for (uint32_t i = 0; i < table.size(); i++) {
    const dpcap_box_segment& entry = table[i];
    if (entry.generation == 0 || entry.used == 0) continue;
    if (entry.used > header.segment_bytes || entry.lane >= facts.lanes.size()) {
      facts.damaged++;
      continue;
    }
    if (header.data_offset + uint64_t{i} * header.segment_bytes + entry.used > file_bytes) {
      facts.cut_off++;
      continue;
    }
    facts.segments.push_back(
        {i, entry.generation, entry.first_ns, entry.last_ns, entry.lane, entry.used, entry.packets});
  }
  std::sort(facts.segments.begin(), facts.segments.end(),
            [](const BoxSegment& a, const BoxSegment& b) { return a.generation < b.generation; });
}

// The agent holds a lock as long as its process lives, which is seen from every PID namespace.
bool is_locked(int fd) {
  if (flock(fd, LOCK_SH | LOCK_NB) != 0) return errno == EWOULDBLOCK;
  flock(fd, LOCK_UN);
  return false;
}

}  // namespace

size_t read_at(int fd, void* out, size_t size, uint64_t offset) {
  size_t done = 0;
  while (done < size) {
    const ssize_t some = pread(fd, static_cast<uint8_t*>(out) + done, size - done, static_cast<off_t>(offset + done));
    if (some < 0 && errno == EINTR) continue;
    if (some < 0) throw Error("ERR_SYSTEM", std::string("cannot read the black box: ") + strerror(errno), errno);
    if (some == 0) break;
    done += static_cast<size_t>(some);
  }
  return done;
}

bool is_box_held(int fd) {
  check_file(fd);
  char magic[sizeof dpcap_box_header::magic]{};
  read_at(fd, magic, sizeof magic, offsetof(dpcap_box_header, magic));
  check_magic(magic);
  return is_locked(fd);
}

BoxFacts read_box(int fd) {
  check_file(fd);
  struct stat status;
  if (fstat(fd, &status) != 0) throw no_box("it cannot be looked at");
  BoxFacts facts;
  facts.is_recording = is_locked(fd);
  facts.header = read_header(fd);
  check_layout(facts.header);
  facts.lanes = read_lanes(fd, facts.header);
  facts.interfaces = interfaces_of(facts.lanes);
  read_segments(fd, static_cast<uint64_t>(status.st_size), facts);
  for (const dpcap_box_lane& lane : facts.lanes)
    facts.overwritten_until_ns = std::max(facts.overwritten_until_ns, lane.overwritten_until_ns);
  return facts;
}

// The counterpart of begin_segment() in box_ring.c: a copy whose generation is the same afterwards is whole.
bool is_unchanged(int fd, const BoxFacts& facts, const BoxSegment& segment) {
  dpcap_box_segment entry{};
  std::atomic_thread_fence(std::memory_order_acquire);
  const size_t size = read_at(fd, &entry, sizeof entry, entry_offset(facts.header, segment.index));
  return size == sizeof entry && entry.generation == segment.generation;
}

uint64_t BoxFacts::packets() const {
  uint64_t sum = 0;
  for (const BoxSegment& segment : segments) sum += segment.packets;
  return sum;
}

uint64_t BoxFacts::first_ns() const {
  uint64_t first = UINT64_MAX;
  for (const BoxSegment& segment : segments) first = std::min(first, segment.first_ns);
  return segments.empty() ? 0 : first;
}

// Where a lane's times go back, the clock was set back: what was recorded before tells nothing about the end.
uint64_t BoxFacts::last_ns() const {
  std::vector<uint64_t> last_of_lane(lanes.size());
  uint64_t last = 0;
  for (const BoxSegment& segment : segments) {
    uint64_t& before = last_of_lane[segment.lane];
    const uint64_t latest = std::max(before, segment.first_ns);
    const bool is_set_back = latest > segment.last_ns && latest - segment.last_ns > kSetBackNs;
    last = is_set_back ? segment.last_ns : std::max(last, segment.last_ns);
    before = segment.last_ns;
  }
  return last;
}

}  // namespace dpcap
