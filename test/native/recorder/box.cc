// A black box is input from outside: torn, cut off, of another version, or made to mislead.
#include <cstddef>
#include <random>

#include "base/error.h"
#include "recorder/block_check.h"
#include "recorder/box_facts.h"
#include "recorder/save_box.h"
#include "recording.h"
#include "temporary_file.h"

using namespace dpcap;

namespace {

constexpr uint64_t kMemory = 4 << 20;
constexpr size_t kFrame = 1000;

// A file with these bytes.
struct Copy : TemporaryFile {
  explicit Copy(const std::vector<uint8_t>& bytes) : TemporaryFile("/dev/shm") {
    CHECK_ALL(write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  ~Copy() { close(fd); }
};

// A box with more packets than it has room for, of four lanes.
std::vector<uint8_t> full_box() {
  const Recording recording(kMemory);
  Traffic traffic(kFrame);
  while (traffic.sent() * kFrame < 2 * kMemory) {
    for (uint16_t queue = 0; queue < FakePort::kQueues; queue++) traffic.receive(queue), traffic.send(queue);
  }
  return bytes_of(Descriptor(recording.open_box()).get());
}

// What is thrown, or nothing. Whatever is written is valid.
std::string save_copy(const std::vector<uint8_t>& bytes, Saved* saved = nullptr) {
  const Copy box(bytes);
  const TemporaryFile file("/dev/shm");
  try {
    const Saved done = save_box(box.fd, open_again(file.fd, O_WRONLY), {FileFormat::pcapng, 0, {}});
    if (saved != nullptr) *saved = done;
    const std::vector<uint8_t> all = file.bytes();
    uint64_t packets = 0;
    for (size_t at = 0, size; at < all.size(); at += size) {
      memcpy(&size, &all[at + 4], 4);
      size &= UINT32_MAX;
      const bool is_packet = all[at] == 6;
      packets += is_packet;
      CHECK_ALL(size >= 12 && size <= all.size() - at);
      CHECK_ALL(!is_packet || check_block(&all[at], all.size() - at, DPCAP_BOX_LANES).size == size);
      if (size < 12 || size > all.size() - at) break;
    }
    CHECK_ALL(packets == done.packets);
  } catch (const Error& error) {
    return error.code();
  }
  return "";
}

template <typename T>
std::vector<uint8_t> with(std::vector<uint8_t> bytes, size_t at, T value) {
  memcpy(bytes.data() + at, &value, sizeof value);
  return bytes;
}

dpcap_box_segment entry_of(const std::vector<uint8_t>& bytes, uint32_t index) {
  dpcap_box_segment entry;
  memcpy(&entry, &bytes[dpcap_box_segments_offset() + index * sizeof entry], sizeof entry);
  return entry;
}

void test_headers(const std::vector<uint8_t>& sound) {
  const auto header = [&](size_t at, auto value) { return save_copy(with(sound, at, value)); };
  CHECK(save_copy(sound).empty());
  CHECK(save_copy({}) == "ERR_RECORDER_FILE");
  CHECK(header(0, 'x') == "ERR_RECORDER_FILE");
  CHECK(header(offsetof(dpcap_box_header, version), DPCAP_BOX_VERSION + 1) == "ERR_VERSION_MISMATCH");
  CHECK(header(offsetof(dpcap_box_header, segments), uint32_t{0}) == "ERR_RECORDER_FILE");
  CHECK(header(offsetof(dpcap_box_header, segments), UINT32_MAX) == "ERR_RECORDER_FILE");
  CHECK(header(offsetof(dpcap_box_header, segment_bytes), UINT32_MAX) == "ERR_RECORDER_FILE");
  CHECK(header(offsetof(dpcap_box_header, data_offset), UINT64_MAX) == "ERR_RECORDER_FILE");
  CHECK(header(offsetof(dpcap_box_header, lane_count), DPCAP_BOX_LANES + 1) == "ERR_RECORDER_FILE");
  CHECK(header(DPCAP_BOX_HEADER_BYTES + offsetof(dpcap_box_lane, interface), UINT32_MAX) == "ERR_RECORDER_FILE");
}

void test_cut_off(const std::vector<uint8_t>& sound) {
  Saved whole, cut;
  save_copy(sound, &whole);
  CHECK(whole.cut_off == 0 && whole.damage.damaged == 0);
  CHECK(save_copy({sound.begin(), sound.end() - static_cast<long>(kMemory / 2)}, &cut).empty());
  CHECK(cut.cut_off > 0 && cut.packets > 0 && cut.packets < whole.packets);
  CHECK(save_copy({sound.begin(), sound.begin() + DPCAP_BOX_HEADER_BYTES + 100}) == "ERR_RECORDER_FILE");
}

// What a thread was writing at the end lies behind what is complete, and looks like anything.
void test_torn(const std::vector<uint8_t>& sound) {
  dpcap_box_header header;
  memcpy(&header, sound.data(), sizeof header);
  Saved whole, torn, damaged;
  save_copy(sound, &whole);
  std::vector<uint8_t> bytes = sound;
  for (uint32_t i = 0; i < header.segments; i++) {
    const dpcap_box_segment entry = entry_of(sound, i);
    uint8_t* const segment = &bytes[header.data_offset + uint64_t{i} * header.segment_bytes];
    memset(segment + entry.used, 0x6, header.segment_bytes - entry.used);
  }
  CHECK(save_copy(bytes, &torn).empty());
  CHECK(torn.packets == whole.packets && torn.last_ns == whole.last_ns && torn.damage.damaged == 0);
  const size_t middle = entry_of(sound, 0).used / 2;
  memset(&bytes[header.data_offset + middle], 0xff, 4000);
  CHECK(save_copy(bytes, &damaged).empty());
  CHECK(damaged.damage.damaged == 1 && damaged.packets < whole.packets && damaged.last_ns == whole.last_ns);
}

void test_fuzzed(const std::vector<uint8_t>& sound) {
  std::mt19937 random(31);
  int saved = 0;
  for (int i = 0; i < 100; i++) {
    std::vector<uint8_t> bytes = sound;
    const size_t ends[] = {200, DPCAP_BOX_HEADER_BYTES + 1000, dpcap_box_data_offset(16), bytes.size()};
    const size_t end = ends[random() % 4];
    for (uint32_t flips = 1 + random() % 8; flips > 0; flips--) bytes[random() % end] ^= 1u << random() % 8;
    if (random() % 8 == 0) bytes.resize(random() % bytes.size());
    saved += save_copy(bytes).empty();
  }
  CHECK(saved > 30);
}

void test_blocks() {
  const std::vector<uint32_t> sound = {6, 60, 0, 1, 2, 4, 100, 0xabcdabcd, 2 | 4 << 16, 1, 6 | 4 << 16, 0, 0, 0, 60};
  const auto check = [](std::vector<uint32_t> words, size_t left = 60) {
    return check_block(reinterpret_cast<const uint8_t*>(words.data()), left, 1).size;
  };
  const auto changed = [&](size_t at, uint32_t value) {
    std::vector<uint32_t> words = sound;
    words[at] = value;
    return check(words);
  };
  CHECK(check({6, 36, 0, 1, 2, 4, 100, 0xabcdabcd, 36}, 36) == 36);
  CHECK(check({6, 56, 0, 1, 2, 4, 100, 0xabcdabcd, 2 | 4 << 16, 1, 6 | 4 << 16, 0, 0, 56}, 56) == 56);
  CHECK(check(sound) == 0);  // something lies behind the end of its options
  CHECK(check({6, 36, 0, 1, 2, 4, 100, 0xabcdabcd, 36}, 35) == 0);
  CHECK(changed(0, 5) == 0 && changed(1, 0) == 0 && changed(2, 1) == 0 && changed(5, UINT32_MAX) == 0);
}

// The last seconds before an end are those of the clock as it was set last.
void test_clock_is_set() {
  constexpr uint64_t kS = 1'000'000'000, kHour = 3600 * kS;
  BoxFacts facts{};
  facts.lanes.resize(3);
  uint64_t generation = 0;
  const auto add = [&](uint32_t lane, uint64_t first_ns, uint64_t last_ns) {
    const auto index = static_cast<uint32_t>(generation++);
    facts.segments.push_back({index, generation, first_ns, last_ns, lane, 1, 1});
  };
  CHECK(facts.last_ns() == 0);
  add(0, 9 * kHour, 9 * kHour + 5 * kS);
  add(1, 9 * kHour + 1 * kS, 9 * kHour + 4 * kS);
  CHECK(facts.last_ns() == 9 * kHour + 5 * kS);
  add(0, 9 * kHour + 5 * kS - 100, 9 * kHour + 5 * kS - 50);  // as little as that is no clock that was set
  CHECK(facts.last_ns() == 9 * kHour + 5 * kS);
  add(0, 9 * kHour + 6 * kS, 7 * kHour);  // set back within a segment
  CHECK(facts.last_ns() == 7 * kHour);
  add(1, 7 * kHour + 1 * kS, 7 * kHour + 2 * kS);  // and between two
  CHECK(facts.last_ns() == 7 * kHour + 2 * kS);
  add(2, 7 * kHour + 2 * kS, 8 * kHour);
  CHECK(facts.last_ns() == 8 * kHour);
  add(2, 12 * kHour, 12 * kHour + 1);  // forward
  CHECK(facts.last_ns() == 12 * kHour + 1);
}

}  // namespace

void test_recorder_box() {
  const std::vector<uint8_t> sound = full_box();
  test_headers(sound);
  test_cut_off(sound);
  test_torn(sound);
  test_fuzzed(sound);
  test_blocks();
  test_clock_is_set();
}
