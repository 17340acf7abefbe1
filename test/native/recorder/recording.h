// A recorder as it is in an application, with a port that does not exist.
#pragma once
extern "C" {
#include "agent/library/clock.h"
#include "agent/library/datapath/lane.h"
#include "agent/library/dpdk.h"
#include "agent/library/recorder/recorder.h"
}

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "agent/box.h"
#include "base/fd.h"
#include "copies.h"
#include "ethdev_events.h"
#include "tap.h"

// The fake port's callbacks, as DPDK keeps them: by queue.
struct FakePort {
  static constexpr uint16_t kQueues = 2;
  inline static uint16_t queues = kQueues;  // set up
  inline static rte_rx_callback_fn rx[kQueues];
  inline static void* rx_lane[kQueues];
  inline static rte_tx_callback_fn tx[kQueues];
  inline static void* tx_lane[kQueues];

  static void plug_in() {
    dpdk.version = [] { return "DPDK of a test"; };
    dpdk.tsc_hz = [] { return uint64_t{2'000'000'000}; };
    dpdk.next_port = [](uint16_t port) { return static_cast<uint16_t>(port == 0 ? 0 : RTE_MAX_ETHPORTS); };
    dpdk.is_valid_port = [](uint16_t port) { return port == 0 ? 1 : 0; };
    dpdk.port_name = [](uint16_t, char* name) {
      strcpy(name, "test0");
      return 0;
    };
    dpdk.on_event = keep_event_callback;
    dpdk.is_valid_rxq = dpdk.is_valid_txq = [](uint16_t, uint16_t queue) { return queue < queues ? 0 : -EINVAL; };
    dpdk.add_rx = [](uint16_t, uint16_t queue, rte_rx_callback_fn function, void* lane) {
      if (queue >= queues) return static_cast<const rte_eth_rxtx_callback*>(nullptr);
      rx[queue] = function;
      rx_lane[queue] = lane;
      return reinterpret_cast<const rte_eth_rxtx_callback*>(&rx[queue]);
    };
    dpdk.add_tx = [](uint16_t, uint16_t queue, rte_tx_callback_fn function, void* lane) {
      if (queue >= queues) return static_cast<const rte_eth_rxtx_callback*>(nullptr);
      tx[queue] = function;
      tx_lane[queue] = lane;
      return reinterpret_cast<const rte_eth_rxtx_callback*>(&tx[queue]);
    };
  }
};

// Packets whose first bytes are numbers that never repeat.
class Traffic {
 public:
  static constexpr uint16_t kBurst = 32;
  explicit Traffic(size_t size) {
    for (uint16_t i = 0; i < kBurst; i++) mbufs_.push_back(chains_.emplace_back(numbered(size), SIZE_MAX, 64).head());
  }
  void receive(uint16_t queue) {
    number();
    FakePort::rx[queue](0, queue, mbufs_.data(), kBurst, kBurst, FakePort::rx_lane[queue]);
  }
  void send(uint16_t queue) {
    number();
    FakePort::tx[queue](0, queue, mbufs_.data(), kBurst, FakePort::tx_lane[queue]);
  }
  uint32_t sent() const { return number_; }

 private:
  void number() {
    for (rte_mbuf* mbuf : mbufs_) memcpy(rte_pktmbuf_mtod(mbuf, uint8_t*), &number_, sizeof number_), number_++;
  }
  uint32_t number_ = 0;
  std::deque<Chain> chains_;
  std::vector<rte_mbuf*> mbufs_;
};

inline std::vector<uint8_t> recorder_order_of(uint64_t memory, uint32_t snaplen, const std::string& filter = "") {
  const dpcap_agent_recorder_order head{memory, snaplen, DPCAP_AGENT_RX | DPCAP_AGENT_TX,     0,
                                        0,      0,       static_cast<uint32_t>(filter.size())};
  std::vector<uint8_t> bytes(sizeof head);
  memcpy(bytes.data(), &head, sizeof head);
  bytes.insert(bytes.end(), filter.begin(), filter.end());
  return bytes;
}

// A runtime directory in memory, and a recorder that has its box there.
class Recording {
 public:
  explicit Recording(uint64_t memory, uint32_t snaplen = 262144) {
    FakePort::plug_in();
    char made[] = "/dev/shm/dpcap-test-XXXXXX";
    directory_ = mkdtemp(made);
    const std::vector<uint8_t> order = recorder_order_of(memory, snaplen, "udp");
    int err = 0;
    recorder_ = recorder_make(order.data(), order.size(), directory_.c_str(), &err);
    CHECK(recorder_ != nullptr);
    clock_renew(dpdk.tsc_hz());
    recorder_watch(recorder_);
  }
  ~Recording() {
    if (recorder_ != nullptr) end();
    rmdir(directory_.c_str());
  }
  void end() {
    CHECK(recorder_stop(recorder_));
    recorder_free(recorder_);
    recorder_ = nullptr;
  }
  recorder* get() const { return recorder_; }
  std::string path() const { return recorder_path(recorder_); }
  int open_box(int flags = O_RDONLY) const { return open(path().c_str(), flags | O_CLOEXEC); }
  const std::string& directory() const { return directory_; }

 private:
  std::string directory_;
  recorder* recorder_ = nullptr;
};

// The box's bytes, as they would be in a copy of the file.
inline std::vector<uint8_t> bytes_of(int fd) {
  struct stat status;
  fstat(fd, &status);
  std::vector<uint8_t> all(static_cast<size_t>(status.st_size));
  CHECK_ALL(pread(fd, all.data(), all.size(), 0) == static_cast<ssize_t>(all.size()));
  return all;
}
