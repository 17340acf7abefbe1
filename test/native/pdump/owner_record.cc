// Records as they lie in shared memory: what is read there is input.
#include "pdump/owner_record.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "tap.h"

using namespace dpcap;

namespace {

constexpr uint32_t kMagic = 0x64706332;

// The record of a capture of this process, with one lane that is enabled.
std::vector<uint8_t> own_record(uint32_t number) {
  const ProcessId self = current_process();
  std::vector<uint8_t> bytes(sizeof(OwnerHeader) + sizeof(OwnerLane));
  auto* header = reinterpret_cast<OwnerHeader*>(bytes.data());
  header->magic = kMagic;
  header->lane_count = 1;
  header->pid = self.pid;
  header->number = number;
  header->start_time = self.start_time;
  header->pid_namespace = self.pid_namespace;
  strcpy(header->purpose, "dpcap -i 0");
  OwnerLane& lane = header->lanes()[0];
  strcpy(lane.device, "net_null0");
  lane.port = 3;
  lane.queue = 2;
  lane.direction = static_cast<uint16_t>(Direction::tx);
  lane.state = CallbackState::enabled;
  return bytes;
}

OwnerHeader& header_of(std::vector<uint8_t>& bytes) { return *reinterpret_cast<OwnerHeader*>(bytes.data()); }

void whole_record() {
  for (const uint32_t number : {0u, 7u, kMostCaptureNumber}) {
    const std::string name = owner_name(current_process(), number);
    CHECK(name.size() <= 25);
    const OwnerFacts facts = read_owner(name, own_record(number));
    CHECK(facts.running && facts.process.pid == getpid() && facts.purpose == "dpcap -i 0");
    CHECK(facts.lanes.size() == 1 && facts.lanes[0].state == CallbackState::enabled);
    CHECK(text_of(facts.lanes[0].id) == "net_null0 queue 2 tx" && facts.lanes[0].id.port == 3);
  }
}

// One that is not finished, of another version, or of another name has no lanes, and its owner is known by its name.
void no_record() {
  const std::string name = owner_name(current_process(), 0);
  std::vector<uint8_t> unfinished = own_record(0), foreign = own_record(1), too_many = own_record(0);
  header_of(unfinished).magic = 0;
  header_of(too_many).lane_count = 2;
  for (const auto& bytes : {unfinished, foreign, too_many}) {
    const OwnerFacts facts = read_owner(name, bytes);
    CHECK(facts.lanes.empty() && facts.running && facts.process.pid == getpid());
  }
  const OwnerFacts dead = read_owner("dpcap_4194304_1f.12", std::vector<uint8_t>(sizeof(OwnerHeader)));
  CHECK(dead.lanes.empty() && !dead.running && dead.process.pid == 4194304);
}

// Text without an end, and bytes of any kind, are read within their bounds: the sanitizers watch.
void any_bytes() {
  const std::string name = owner_name(current_process(), 0);
  std::vector<uint8_t> bytes = own_record(0);
  memset(header_of(bytes).purpose, 'x', sizeof(OwnerHeader::purpose));
  memset(header_of(bytes).lanes()[0].device, 'y', sizeof(OwnerLane::device));
  const OwnerFacts facts = read_owner(name, bytes);
  CHECK(facts.purpose.size() == sizeof(OwnerHeader::purpose));
  CHECK(facts.lanes[0].id.device.size() == sizeof(OwnerLane::device));
  unsigned seed = 1;
  for (int round = 0; round < 2000; round++) {
    std::vector<uint8_t> wild = own_record(0);
    for (size_t at = 8; at < wild.size(); at++) {
      if (rand_r(&seed) % 4 == 0) wild[at] = static_cast<uint8_t>(rand_r(&seed));
    }
    header_of(wild).lane_count = rand_r(&seed) % 3;
    CHECK_ALL(read_owner(name, wild).lanes.size() <= 1);
  }
}

}  // namespace

void test_owner_record() {
  whole_record();
  no_record();
  any_bytes();
}
