// What a stream publishes arrives in the file, and no word that the client can write harms the application.
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <string>

#include "agent/data_path_scene.h"
#include "base/error.h"

using namespace data_path;

namespace {

void test_all_arrive(uint64_t limit) {
  TemporaryFile file;
  Application application(8 << 20);
  Engine engine(application, fcntl(file.fd, F_DUPFD_CLOEXEC, 0), limit);
  std::mt19937 random(11);
  Burst32 small(60), large(1514);
  uint64_t ns = 1'000'000'000;
  for (int i = 0; i < 20000; i++) {
    (random() % 4 == 0 ? large : small).take(application.streams[random() % kLanes], ns += 100);
    if (random() % 16 == 0) engine.drain(More::may_come);
  }
  engine.end();
  const Seen seen = seen_in(file);
  uint64_t accepted = 0, full = 0;
  for (const stream& one : application.streams) accepted += one.accepted, full += one.full;
  CHECK(accepted == small.taken() + large.taken());
  CHECK(full == 0);
  CHECK(engine.arrived[0] + engine.arrived[1] + engine.arrived[2] == accepted);
  CHECK(seen.is_in_order);
  CHECK(seen.numbers.size() == (limit == 0 ? accepted : limit));
  uint64_t recorded = 0, surplus = 0;
  for (uint32_t i = 0; i < kLanes; i++)
    recorded += engine.books.ledger[i].recorded, surplus += engine.books.ledger[i].surplus;
  CHECK(recorded == seen.numbers.size() && recorded + surplus == accepted);
}

// Nothing reads: the newest are lost and counted. Then what was kept arrives, and the memory is free again.
void test_overflow() {
  TemporaryFile file;
  Application application(1);
  Engine engine(application, fcntl(file.fd, F_DUPFD_CLOEXEC, 0), 0);
  Burst32 burst(1000);
  uint64_t ns = 1'000'000'000;
  for (int i = 0; i < 1000; i++) burst.take(application.streams[i % kLanes], ns += 100);
  uint64_t full = 0;
  for (const stream& one : application.streams) full += one.full;
  CHECK(full > 0 && full < burst.taken());
  engine.drain(More::none);
  burst.take(application.streams[0], ns += 100);
  CHECK(application.streams[0].has_segment);
  engine.end();
  CHECK(seen_in(file).numbers.size() + full == burst.taken());
}

// The sanitizers see an access that is not the memory's.
void test_hostile_client() {
  Application application(4 << 20);
  std::mt19937_64 random(13);
  Burst32 burst(700);
  for (int i = 0; i < 30000; i++) {
    for (int words = 0; words < 8; words++) {
      const uint64_t at = random() % (application.memory.control_bytes / 8);
      memcpy(application.memory.control + at * 8, "\0\xff\0\xff\xff\xff\xff\xff", random() % 9);
    }
    for (uint32_t segment = 0; segment < application.memory.segments; segment++)
      application.memory.control[segment] = static_cast<uint8_t>(random() % 3);
    memory_lane(&application.memory, static_cast<uint32_t>(random() % kLanes))->consumed = random();
    burst.take(application.streams[random() % kLanes], 1'000'000'000 + static_cast<uint64_t>(i));
  }
  uint64_t accepted = 0;
  for (const stream& one : application.streams) accepted += one.accepted;
  CHECK(accepted == burst.taken());
}

// The same the other way round: the application's words are input of the engine.
void test_broken_application() {
  TemporaryFile file;
  Application application(4 << 20);
  Engine engine(application, fcntl(file.fd, F_DUPFD_CLOEXEC, 0), 0);
  std::mt19937_64 random(17);
  for (size_t at = 0; at + 8 <= application.memory.data_bytes; at += 8) {
    const uint64_t word = random();
    memcpy(application.memory.data + at, &word, 8);
  }
  for (uint32_t lane = 0; lane < kLanes; lane++) {
    for (uint32_t i = 0; i < 1000; i++) {
      dpcap_agent_burst& burst = application.streams[lane].bursts[i];
      const auto word = [&] { return static_cast<uint32_t>(random() >> (32 + random() % 32)); };
      burst = {word() % 64, word(), word(), 1 + word() % 100, random(), word()};
    }
    application.streams[lane].shared->published = 1000;
  }
  engine.end();
  CHECK(engine.poller->is_empty());
}

// No more bursts than the ring has can be there, whatever the word says.
void test_broken_word() {
  TemporaryFile file;
  Application application(4 << 20);
  Engine engine(application, fcntl(file.fd, F_DUPFD_CLOEXEC, 0), 0);
  for (const uint64_t word : {uint64_t{application.memory.bursts} + 1, UINT64_MAX}) {
    application.streams[0].shared->published = word;
    CHECK(engine.poller->poll() == 0);
    CHECK(engine.poller->is_empty());
    CHECK(engine.lanes[0].state == LaneState::broken && engine.lanes[1].is_live());
  }
  engine.end();
}

// Memory that could become shorter is not mapped.
void test_unsealed() {
  Application application(4 << 20);
  const struct memory& real = application.memory;
  const dpcap_agent_prepared made = {real.segments, real.bursts, 0, real.segment_bytes};
  std::vector<Descriptor> fds;
  fds.emplace_back(fcntl(real.control_fd, F_DUPFD_CLOEXEC, 0));
  fds.emplace_back(memfd_create("unsealed", MFD_CLOEXEC));
  CHECK_ALL(ftruncate(fds[1].get(), static_cast<off_t>(real.data_bytes)) == 0);
  std::string refused;
  try {
    AgentMemory memory(made, kLanes, fds);
  } catch (const Error& error) {
    refused = error.code();
  }
  CHECK(refused == "ERR_VERSION_MISMATCH");
}

// The kernel would end the application.
void test_too_much() {
  struct memory memory;
  CHECK(memory_make(&memory, 1ull << 44, 1) == ENOMEM);
  CHECK(memory.control == nullptr && memory.data == nullptr);
}

// The first record behind packets that the stream has not seen says how many these were, and no other.
void test_unseen() {
  Application application(4 << 20);
  stream& one = application.streams[0];
  one.kind.format = DPCAP_AGENT_PCAPNG;
  Burst32 burst(60);
  burst.take(one, 1);
  burst.take(one, 2, 7);
  burst.take(one, 3, 7);
  const size_t plain = record_size(FileFormat::pcapng, 60);
  for (uint32_t i = 0; i < 3; i++) {
    const dpcap_agent_burst& at = one.bursts[i];
    const uint8_t* const record = one.data + size_t{at.segment} * one.segment_bytes + at.begin;
    const size_t told = stored_record_size(FileFormat::pcapng, record) - plain;
    CHECK(told == (i == 1 ? 12 : 0) && at.bytes == kBurst * plain + told);
    const uint8_t lost[12] = {4, 0, 8, 0, 7};
    CHECK(told == 0 || memcmp(record + plain - 8, lost, sizeof lost) == 0);
  }
}

}  // namespace

void test_agent_data_path() {
  test_unseen();
  test_all_arrive(0);
  test_all_arrive(12345);
  test_overflow();
  test_hostile_client();
  test_broken_application();
  test_broken_word();
  test_unsealed();
  test_too_much();
}
