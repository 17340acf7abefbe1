// What a recorder can be asked for, by message and by environment, and where its box goes.
extern "C" {
#include "agent/library/recorder/environment.h"
#include "agent/library/recorder/order.h"
}

#include <sys/file.h>

#include <cerrno>
#include <random>

#include "recording.h"

namespace {

std::string problem_of(const char* words) {
  uint8_t* message = nullptr;
  size_t bytes = 0;
  const char* const problem = environment_read(words, &message, &bytes);
  CHECK_ALL((problem == nullptr) || message == nullptr);
  free(message);
  return problem == nullptr ? "" : problem;
}

void test_environment() {
  uint8_t* message = nullptr;
  size_t bytes = 0;
  recorder_order order;
  CHECK(environment_read(nullptr, &message, &bytes) == nullptr && message == nullptr);
  const char* const words =
      "memory=64M,snaplen=96,directions=rx,ports=net_tap0+0000:01:00.0,program=9500000000000000,"
      "program-tx=95000000000000009500000000000000,filter=udp or (port 1, 2)";
  CHECK(environment_read(words, &message, &bytes) == nullptr && recorder_order_read(message, bytes, &order));
  CHECK(order.head.memory_bytes == 64 << 20 && order.head.snaplen == 96 && order.head.directions == DPCAP_AGENT_RX);
  CHECK(order.head.device_count == 2 && recorder_order_has(&order, "0000:01:00.0"));
  CHECK(!recorder_order_has(&order, "net_tap1"));
  CHECK(order.head.rx_instructions == 1 && order.head.tx_instructions == 2 && order.programs[0] == 0x95);
  CHECK(std::string(order.filter, order.head.filter_bytes) == "udp or (port 1, 2)");
  free(message);
  CHECK(environment_read("memory=1G", &message, &bytes) == nullptr && recorder_order_read(message, bytes, &order));
  CHECK(order.head.directions == (DPCAP_AGENT_RX | DPCAP_AGENT_TX) && recorder_order_has(&order, "any"));
  free(message);
  for (const char* wrong :
       {"memory", "memory=", "memory=x", "memory=1T", "memory=-1", "memory=99999999999G", "snaplen=0", "snaplen=1M",
        "directions=up", "ports=+", "colour=red", "program=9", "program=95", "program=zz00000000000000", "filter=udp"})
    CHECK_ALL(!problem_of(wrong).empty());
}

void test_messages() {
  FakePort::plug_in();
  recorder_order read;
  const std::vector<uint8_t> sound = recorder_order_of(64 << 20, 128, "udp");
  CHECK(recorder_order_read(sound.data(), sound.size(), &read));
  for (size_t size = 0; size < sound.size(); size++) CHECK_ALL(!recorder_order_read(sound.data(), size, &read));
  std::mt19937 random(7);
  for (int i = 0; i < 20000; i++) {
    std::vector<uint8_t> bytes = sound;
    for (uint32_t flips = 1 + random() % 4; flips > 0; flips--) bytes[random() % bytes.size()] ^= 1u << random() % 8;
    bytes.shrink_to_fit();
    if (recorder_order_read(bytes.data(), bytes.size(), &read))
      CHECK_ALL(read.filter + read.head.filter_bytes == reinterpret_cast<char*>(bytes.data() + bytes.size()));
  }
}

int error_in(const std::string& directory, uint64_t memory) {
  const std::vector<uint8_t> order = recorder_order_of(memory, 128);
  int err = 0;
  recorder* const made = recorder_make(order.data(), order.size(), directory.c_str(), &err);
  if (made != nullptr) recorder_free(made);
  return made == nullptr ? err : 0;
}

void test_places() {
  char made[] = "/dev/shm/dpcap-test-XXXXXX", foreign[] = "/dev/shm/dpcap-test-XXXXXX";
  const std::string directory = mkdtemp(made), elsewhere = mkdtemp(foreign);
  const std::string folder = directory + "/" DPCAP_BOX_FOLDER;
  CHECK(error_in(directory, 64 << 20) == 0 && access(folder.c_str(), F_OK) != 0);  // nothing is left
  CHECK(error_in(directory, uint64_t{60} << 30) == ENOMEM);
  // A link that somebody has put there is not followed.
  CHECK(symlink(elsewhere.c_str(), folder.c_str()) == 0);
  CHECK(error_in(directory, 64 << 20) == 0 && rmdir(elsewhere.c_str()) == 0);
  unlink(folder.c_str());
  // Boxes of dead processes are never removed: no more are made than there is room for.
  mkdir(folder.c_str(), 0700);
  std::vector<std::string> dead;
  for (int i = 0; i < 8; i++) {
    dead.push_back(folder + "/" DPCAP_BOX_FILE + std::to_string(i) + "_1");
    close(open(dead.back().c_str(), O_CREAT | O_WRONLY, 0600));
  }
  CHECK(error_in(directory, 64 << 20) == EDQUOT);
  // Where systemd removes what is in it, no box is made.
  for (const char* const variable : {"RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"}) {
    setenv(variable, directory.c_str(), 1);
    CHECK(error_in(directory, 64 << 20) == 0);
    unsetenv(variable);
  }
  const dpcap::Descriptor living(open(dead[0].c_str(), O_RDONLY));
  CHECK(flock(living.get(), LOCK_EX) == 0 && error_in(directory, 64 << 20) == 0);
  for (const std::string& path : dead) unlink(path.c_str());
  rmdir(folder.c_str());
  rmdir(directory.c_str());
}

}  // namespace

void test_recorder_orders() {
  test_environment();
  test_messages();
  test_places();
}
