#include "agent/process.h"

extern "C" {
#include "agent/library/datapath/lane.h"
#include "agent/library/dpdk.h"
}

#include <rte_ethdev.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "agent/agent_process.h"
#include "agent/agent_source.h"
#include "base/error.h"
#include "base/unix_address.h"
#include "books.h"
#include "capture/limit.h"
#include "copies.h"
#include "ethdev_events.h"
#include "sink/file_sink.h"
#include "tap.h"
#include "temporary_file.h"

using namespace dpcap;

namespace {

constexpr uint16_t kPort = 8;  // of this test alone: lanes stay
constexpr uint16_t kBurst = 8;
constexpr uint16_t kQueues = DPCAP_AGENT_MAX_LANES + 1;
constexpr char kDevice[] = "test8";
constexpr FileOptions kOptions{FileFormat::pcap, true, 262144};
std::vector<std::pair<rte_rx_callback_fn, void*>> callbacks;

void fake_ethdev() {
  dpdk.next_port = [](uint16_t from) { return from <= kPort ? kPort : uint16_t{RTE_MAX_ETHPORTS}; };
  dpdk.is_valid_port = [](uint16_t port) { return port == kPort ? 1 : 0; };
  dpdk.is_valid_rxq = nullptr;
  dpdk.port_name = [](uint16_t, char* name) {
    strcpy(name, kDevice);
    return 0;
  };
  dpdk.port_info = [](uint16_t, rte_eth_dev_info* info) {
    memset(static_cast<void*>(info), 0, sizeof *info);
    info->nb_rx_queues = kQueues;
    return 0;
  };
  dpdk.mac = [](uint16_t, rte_ether_addr*) { return -1; };
  dpdk.mtu = [](uint16_t, uint16_t*) { return -1; };
  dpdk.link = [](uint16_t, rte_eth_link*) { return -1; };
  dpdk.on_event = keep_event_callback;
  dpdk.add_rx = [](uint16_t, uint16_t, rte_rx_callback_fn callback, void* lane) {
    callbacks.emplace_back(callback, lane);
    return reinterpret_cast<const rte_eth_rxtx_callback*>(&callbacks);
  };
}

void receive() {
  Chain packet(numbered(60), SIZE_MAX, 64);
  rte_mbuf* packets[kBurst];
  for (rte_mbuf*& one : packets) one = packet.head();
  for (const auto& [callback, lane] : callbacks) callback(kPort, 0, packets, kBurst, kBurst, lane);
}

// Keeps the thread that comes into the callback of a lane there.
class Waiting {
 public:
  explicit Waiting(lane* place) : place_(place) {
    tap_.self = this;
    tap_.head.take = [](tap* head, rte_mbuf**, uint16_t) {
      Waiting* const self = reinterpret_cast<Tap*>(head)->self;
      self->inside_.set_value();
      self->leave_.get_future().wait();
    };
    CHECK_ALL(lane_attach_tap(place_, &tap_.head) == 0);
    thread_ = std::thread(receive);
    inside_.get_future().wait();
  }
  void end() {
    lane_detach_tap(place_, &tap_.head);
    leave_.set_value();
    thread_.join();
  }

 private:
  struct Tap {
    tap head;
    Waiting* self;
  };
  lane* const place_;
  Tap tap_{};
  std::promise<void> inside_, leave_;
  std::thread thread_;
};

std::vector<dpcap_agent_status> captures_of(AgentClient& client) { return ask_status(client, 5000); }

std::string refusal_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return "";
}

Descriptor listen_at(const std::string& path) {
  Descriptor listener(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  const sockaddr_un address = unix_address(path, "cannot listen on");
  CHECK_ALL(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  CHECK_ALL(listen(listener.get(), 1) == 0);
  return listener;
}

// Answers two messages when both are there.
void serve_late(int listener) {
  const Descriptor client(accept(listener, nullptr, nullptr));
  dpcap_agent_header asked[2];
  for (auto& one : asked) CHECK_ALL(recv(client.get(), &one, sizeof one, 0) == sizeof one);
  for (auto& one : asked) {
    one.error = one.operation == DPCAP_AGENT_OPEN ? EBUSY : EALREADY;
    send(client.get(), &one, sizeof one, MSG_NOSIGNAL);
  }
}

// Answers one message as an agent of the next version does, and ends.
void serve_other_version(int listener) {
  const Descriptor client(accept(listener, nullptr, nullptr));
  dpcap_agent_header header{};
  if (recv(client.get(), &header, sizeof header, 0) < static_cast<ssize_t>(sizeof header)) return;
  header.version = DPCAP_AGENT_VERSION + 1;
  header.length = sizeof header;
  send(client.get(), &header, sizeof header, MSG_NOSIGNAL);
}

}  // namespace

// A process may end when it has published a burst and not counted it: the books are even all the same.
void test_agent_process(const std::string& path) {
  fake_ethdev();
  TemporaryFile file;
  Books books(1);
  Limit packets(0);
  FileSink sink(fcntl(file.fd, F_DUPFD_CLOEXEC, 0), {kOptions.format, 0, {}, Priority::normal}, books.counters);
  Admission admission(books.ledger, packets, sink);
  Lane lane(0, LaneId{kDevice, kPort, 0, Direction::rx}, 0);
  AgentProcess process(path, {lane.rule, {}, kOptions, 4 << 20});
  process.prepare({&lane});
  process.open();
  CHECK(callbacks.size() == 1 && process.state(lane) == LaneState::live);
  const std::vector<PolledLane> polled = process.polled({&lane});
  AgentPoller poller(polled, std::make_unique<FileSpanWriter>(kOptions.format, sink), admission);
  receive();
  receive();
  CHECK(poller.poll() == 2 * kBurst);
  CHECK(process.counters(lane).accepted == 2 * kBurst);

  dpcap_agent_shared_lane& words = polled[0].memory->lane(0);
  words.ended = DPCAP_AGENT_QUEUE_GONE;
  CHECK(process.state(lane) == LaneState::queue_gone);
  words.ended = DPCAP_AGENT_PORT_GONE;
  CHECK(process.state(lane) == LaneState::port_gone);
  words.accepted = kBurst;
  words.full = 3;
  CHECK(process.counters(lane).accepted == kBurst);  // the next look may tell more
  process.end();
  process.watch();
  const SourceCounters counted = process.counters(lane);
  CHECK(process.state(lane) == LaneState::process_gone);
  CHECK(counted.accepted == 2 * kBurst + 3 && counted.ringfull == 3);
}

void test_last_packets(const std::string& path) {
  TemporaryFile file;
  Books books(1);
  Limit packets(0);
  FileSink sink(fcntl(file.fd, F_DUPFD_CLOEXEC, 0), {kOptions.format, 0, {}, Priority::normal}, books.counters);
  Admission admission(books.ledger, packets, sink);
  Lane lane(0, LaneId{kDevice, kPort, 0, Direction::rx}, 0);
  AgentSource source({{path}, {{lane.rule, {}, kOptions, 4 << 20}}});
  source.prepare({&lane}, books.ledger);
  const std::unique_ptr<Poller> poller = source.poller({&lane}, sink, admission);
  source.enable();
  receive();
  source.abandon();  // the connection ends, as with a process that ends
  source.watch();
  CHECK(lane.is_live());
  sink.enter();
  CHECK(poller->poll() == kBurst);
  source.watch();
  CHECK(lane.is_live());
  CHECK(poller->deliver(More::none) == kBurst);
  source.watch();
  CHECK(lane.state == LaneState::process_gone);
  sink.leave();
  CHECK(books.ledger[0].recorded == kBurst && books.ledger[0].surplus == 0);
}

void test_captures(const std::string& path) {
  Lane lane(0, LaneId{kDevice, kPort, 0, Direction::rx}, 0);
  const AgentOrder order{lane.rule, {}, kOptions, 1};
  std::deque<AgentProcess> captures;
  for (uint32_t i = 0; i < DPCAP_AGENT_MAX_SESSIONS; i++) {
    captures.emplace_back(path, order).prepare({&lane});
    captures.back().open();
  }
  AgentProcess another(path, order);
  CHECK(refusal_of([&] { another.prepare({&lane}); }) == "ERR_CAPTURE_BUSY");
  AgentClient client(path);
  CHECK(ask_status(client, 5000).size() == DPCAP_AGENT_MAX_SESSIONS);
  CHECK(client.ask(DPCAP_AGENT_MIRROR_RENEW, {}, 5000).err == EINVAL);  // of no mirror, but heard

  std::deque<Lane> lanes;
  std::vector<Lane*> all;
  for (uint16_t i = 0; i < kQueues; i++)
    all.push_back(&lanes.emplace_back(i, LaneId{kDevice, kPort, i, Direction::rx}, 0));
  AgentProcess wide(path, order);
  CHECK(refusal_of([&] { wide.prepare(all); }) == "ERR_USAGE");
}

void test_grace(const std::string& path) {
  Lane lane(0, LaneId{kDevice, kPort, 0, Direction::rx}, 0);
  struct lane* const place = lane_find(kPort, 0, DPCAP_AGENT_RX);
  AgentClient client(path);
  while (!captures_of(client).empty()) {
  }  // those of other tests end a little later
  std::optional<AgentProcess> capture;
  const auto begin = [&] {
    capture.emplace(path, AgentOrder{lane.rule, {}, kOptions, 1});
    capture->prepare({&lane});
    capture->open();
  };

  begin();
  Waiting first(place);
  const uint64_t before = lane_contended(place);
  receive();  // does not wait for the thread that is inside
  CHECK(lane_contended(place) == before + kBurst);
  std::future<std::string> stopped = std::async(std::launch::async, [&] { return capture->stop(); });
  while (captures_of(client).at(0).state != DPCAP_AGENT_ENDING) {
  }
  CHECK(stopped.wait_for(std::chrono::seconds(0)) != std::future_status::ready);
  first.end();
  CHECK(stopped.get().empty());

  begin();
  Waiting second(place);
  capture.reset();
  std::vector<dpcap_agent_status> left;
  do left = captures_of(client);
  while (left.size() != 1 || left[0].state != DPCAP_AGENT_ENDING);
  CHECK(left[0].client_pid == 0 && left[0].memory_bytes > 0);
  second.end();
  while (!captures_of(client).empty()) {
  }
  CHECK(callbacks.size() == 1);
}

void test_late_answer(const std::string& directory) {
  const std::string path = directory + "/late";
  const Descriptor listener = listen_at(path);
  std::thread other(serve_late, listener.get());
  AgentClient client(path);
  CHECK(refusal_of([&] { client.ask(DPCAP_AGENT_OPEN, {}, 1); }) == "ERR_PRIMARY_TIMEOUT");
  CHECK(client.ask(DPCAP_AGENT_STOP, {}, 5000).err == EALREADY);
  other.join();
  unlink(path.c_str());
}

void test_other_agent(const std::string& directory) {
  const std::string path = directory + "/other";
  const Descriptor listener = listen_at(path);
  std::thread other(serve_other_version, listener.get());
  CHECK(refusal_of([&] { AgentProcess process(path, {}); }) == "ERR_VERSION_MISMATCH");
  other.join();
  unlink(path.c_str());
}
