// What clients send to the agent, made up by libFuzzer: several messages over one connection to the real server, with
// packets passing in between. An input is a row of {operation, flaw, length, body}.
extern "C" {
#include "agent/library/control/server.h"
#include "agent/library/dpdk.h"
#include "agent/mirror.h"
#include "agent/protocol.h"
#include "agent/wire/flow.h"
#include "agent/wire/tunnel.h"
}

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../native/agent/fake_flow.h"
#include "../native/agent/fake_mirroring.h"

namespace {

constexpr uint64_t kMostMemory = 4 << 20;
constexpr uint32_t kBurst = 4;
constexpr uint16_t kPorts = 2;
constexpr uint16_t kQueues = 2;
// Operations of this test: a capture, and mirrors, as they are asked for, with a filter or patterns made up.
constexpr uint8_t kOrderly = 100;
constexpr uint8_t kOrderlyMirror = 101;
constexpr uint8_t kOrderlyFlow = 102;
constexpr uint8_t kOrderlyTunnel = 103;
// Not those of the recorder, whose boxes would be made and touched.
constexpr uint8_t kOperations[] = {0,
                                   DPCAP_AGENT_HELLO,
                                   DPCAP_AGENT_PREPARE,
                                   DPCAP_AGENT_OPEN,
                                   DPCAP_AGENT_STOP,
                                   DPCAP_AGENT_FILTER,
                                   DPCAP_AGENT_STATUS,
                                   DPCAP_AGENT_MIRROR_SET,
                                   DPCAP_AGENT_MIRROR_RENEW,
                                   DPCAP_AGENT_MIRROR_CLEAR,
                                   DPCAP_AGENT_MIRROR_LIST,
                                   DPCAP_AGENT_FLOW_SET,
                                   DPCAP_AGENT_FLOW_RENEW,
                                   DPCAP_AGENT_FLOW_CLEAR,
                                   DPCAP_AGENT_FLOW_LIST,
                                   DPCAP_AGENT_TX_LOOPBACK,
                                   DPCAP_AGENT_MIRROR_SET_TUNNEL,
                                   DPCAP_AGENT_MIRROR_END,
                                   DPCAP_AGENT_MIRROR_REPORT,
                                   DPCAP_AGENT_KERNEL_PORT,
                                   kOrderly,
                                   kOrderlyMirror,
                                   kOrderlyFlow,
                                   kOrderlyTunnel};

std::string directory;
std::map<std::pair<uint16_t, uint16_t>, std::pair<rte_rx_callback_fn, void*>> receivers;

void fake_process() {
  dpdk.runtime_dir = [] { return directory.c_str(); };
  dpdk.version = [] { return "DPDK of a fuzzer"; };
  dpdk.process_type = [] { return RTE_PROC_PRIMARY; };
  dpdk.tsc_hz = [] { return uint64_t{2'000'000'000}; };
  dpdk.next_port = [](uint16_t port) { return static_cast<uint16_t>(port < kPorts ? port : RTE_MAX_ETHPORTS); };
  dpdk.is_valid_port = [](uint16_t port) { return port < kPorts ? 1 : 0; };
  dpdk.port_name = [](uint16_t, char* name) { return strcpy(name, "p") != nullptr ? 0 : -1; };
  dpdk.port_info = [](uint16_t, rte_eth_dev_info* info) {
    memset(static_cast<void*>(info), 0, sizeof *info);
    info->nb_rx_queues = info->nb_tx_queues = kQueues;
    return 0;
  };
  dpdk.mac = [](uint16_t, rte_ether_addr* mac) { return memset(mac, 2, sizeof *mac) != nullptr ? 0 : -1; };
  dpdk.mtu = [](uint16_t, uint16_t*) { return -1; };
  dpdk.link = [](uint16_t, rte_eth_link*) { return -1; };
  dpdk.on_event = [](uint16_t, rte_eth_event_type, rte_eth_dev_cb_fn, void*) { return 0; };
  dpdk.add_rx = [](uint16_t port, uint16_t queue, rte_rx_callback_fn callback,
                   void* lane) -> const rte_eth_rxtx_callback* {
    if (queue >= kQueues) return nullptr;
    receivers[{port, queue}] = {callback, lane};
    return reinterpret_cast<const rte_eth_rxtx_callback*>(&receivers);
  };
  dpdk.add_tx = [](uint16_t, uint16_t queue, rte_tx_callback_fn, void*) -> const rte_eth_rxtx_callback* {
    return queue < kQueues ? reinterpret_cast<const rte_eth_rxtx_callback*>(&receivers) : nullptr;
  };
  fake::prepare();
  fake::offloads = RTE_ETH_TX_OFFLOAD_MT_LOCKFREE;  // or each mirror would watch its queue for a moment
  fake::frees_at_once = true;
  for (uint16_t port = 0; port < kPorts; port++) fake::start_port(port);
}

std::string start_server() {
  char made[] = "/tmp/dpcap-fuzz-XXXXXX";
  directory = mkdtemp(made);
  fake_process();
  if (!server_open()) abort();
  std::thread(server_run).detach();
  atexit([] {
    server_close();
    rmdir(directory.c_str());
  });
  return directory + "/" DPCAP_AGENT_SOCKET + std::to_string(getpid());
}

int connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) abort();
  return fd;
}

void pass_packets() {
  static uint8_t bytes[64];
  rte_mbuf mbufs[kBurst];
  rte_mbuf* packets[kBurst];
  for (uint32_t i = 0; i < kBurst; i++) {
    memset(static_cast<void*>(&mbufs[i]), 0, sizeof mbufs[i]);
    mbufs[i].buf_addr = bytes;
    mbufs[i].buf_len = mbufs[i].data_len = sizeof bytes;
    mbufs[i].pkt_len = sizeof bytes;
    mbufs[i].nb_segs = 1;
    packets[i] = &mbufs[i];
  }
  for (const auto& [where, receiver] : receivers)
    receiver.first(where.first, where.second, packets, kBurst, kBurst, receiver.second);
}

// Closes what an answer has brought along. Returns whether there was one.
bool take_answer(int fd) {
  static uint8_t bytes[DPCAP_AGENT_MAX_MESSAGE];
  alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))];
  iovec part{bytes, sizeof bytes};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) <= 0) return false;
  for (cmsghdr* one = CMSG_FIRSTHDR(&message); one != nullptr; one = CMSG_NXTHDR(&message, one)) {
    int fds[8];
    const size_t count = (one->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fds, CMSG_DATA(one), count * sizeof(int));
    for (size_t i = 0; i < count; i++) close(fds[i]);
  }
  return true;
}

std::vector<uint8_t> orderly(const std::vector<uint8_t>& program) {
  const auto instructions = static_cast<uint32_t>(program.size() / 8);
  const dpcap_agent_prepare order{1 << 20, instructions % 2, 1, 64, 1, instructions, 0};
  dpcap_agent_lane lane{};
  lane.direction = DPCAP_AGENT_RX;
  strcpy(lane.device, "p");
  std::vector<uint8_t> bytes(sizeof order + sizeof lane);
  memcpy(bytes.data(), &order, sizeof order);
  memcpy(bytes.data() + sizeof order, &lane, sizeof lane);
  bytes.insert(bytes.end(), program.begin(), program.begin() + instructions * 8);
  return bytes;
}

// Of the first bytes of the body: id, lease, directions and flags; the rest is the program.
std::vector<uint8_t> orderly_mirror(const std::vector<uint8_t>& made_up) {
  const auto at = [&](size_t index) { return index < made_up.size() ? made_up[index] : uint8_t{0}; };
  dpcap_mirror_order order{};
  order.id = 1 + at(0) % 20;
  order.owner_pid = 1;
  order.lease_seconds = at(1);
  order.directions = at(2) % 4;
  // Seldom by reference: then the queue is watched for a moment.
  order.flags = at(3) == 255 ? DPCAP_MIRROR_BY_REFERENCE : at(3) % 2;
  order.snaplen = order.flags >= DPCAP_MIRROR_BY_REFERENCE ? DPCAP_MIRROR_MOST_SNAPLEN : 14 + at(4);
  order.source_port = at(5) % 2;
  order.target_port = 1 - order.source_port;
  order.target_queue = at(6) % 4;
  order.rx_instructions = made_up.size() < 8 ? 0 : static_cast<uint32_t>(made_up.size() / 8 - 1);
  strcpy(order.source_device, "p");
  strcpy(order.target_device, "p");
  std::vector<uint8_t> bytes(sizeof order);
  memcpy(bytes.data(), &order, sizeof order);
  if (order.rx_instructions > 0)
    bytes.insert(bytes.end(), made_up.begin() + 8, made_up.begin() + 8 + order.rx_instructions * 8);
  return bytes;
}

// A mirror into a tunnel that most of these bytes are of.
std::vector<uint8_t> orderly_tunnel(const std::vector<uint8_t>& made_up) {
  const auto at = [&](size_t index) { return index < made_up.size() ? made_up[index] : uint8_t{0}; };
  std::vector<uint8_t> bytes = orderly_mirror(made_up);
  dpcap_mirror_tunnel tunnel{};
  tunnel.kind = 1 + at(7) % 5;
  tunnel.id = at(8) % 4;
  tunnel.flags = at(9) % 16;
  tunnel.most_rate = at(10);
  tunnel.udp_port = 4789;
  tunnel.mtu = at(11) == 255 ? 9000 : 576 + at(11);
  tunnel.ttl = 64;
  tunnel.next_hop[0] = at(12);
  tunnel.source[0] = tunnel.destination[0] = tunnel.neighbour[0] = 10;
  const auto* const tunnel_bytes = reinterpret_cast<const uint8_t*>(&tunnel);
  bytes.insert(bytes.begin() + sizeof(dpcap_mirror_order), tunnel_bytes, tunnel_bytes + sizeof tunnel);
  return bytes;
}

// Of the first bytes of the body: id, lease, flags, ratio and what becomes of packets; the rest are the patterns.
std::vector<uint8_t> orderly_flow(const std::vector<uint8_t>& made_up) {
  const auto at = [&](size_t index) { return index < made_up.size() ? made_up[index] : uint8_t{0}; };
  dpcap_flow_order order{};
  order.id = 1 + at(0) % 20;
  order.owner_pid = 1;
  order.lease_seconds = at(1);
  order.flags = at(2) % 8;
  order.ratio = at(3);
  order.through = order.source = at(4) % kPorts;
  const bool is_transfer = (order.flags & DPCAP_FLOW_TRANSFER) != 0;
  order.fate.kind = at(5) % 8 == 0 ? at(5) / 8 % 6 : is_transfer ? DPCAP_FLOW_JUMP : DPCAP_FLOW_QUEUE;
  order.fate.value = at(6);
  order.copy.kind = is_transfer ? DPCAP_FLOW_PORT : DPCAP_FLOW_QUEUE;
  order.copy.value = at(7) % (kPorts + 1);
  strcpy(order.fate.device, "p");
  strcpy(order.copy.device, "p");
  strcpy(order.through_device, "p");
  strcpy(order.source_device, "p");
  order.rule_count = 1 + at(8) % 3;
  std::vector<uint8_t> bytes(sizeof order + order.rule_count * sizeof(dpcap_flow_match));
  memcpy(bytes.data(), &order, sizeof order);
  for (size_t i = 9; i < made_up.size() && sizeof order + i - 9 < bytes.size(); i++)
    bytes[sizeof order + i - 9] = made_up[i];
  return bytes;
}

// With one of four flaws in its head, or none.
std::vector<uint8_t> message(uint8_t operation, uint8_t flaw, std::vector<uint8_t> body) {
  if (operation == kOrderly) return message(DPCAP_AGENT_PREPARE, flaw, orderly(body));
  if (operation == kOrderlyMirror) return message(DPCAP_AGENT_MIRROR_SET, flaw, orderly_mirror(body));
  if (operation == kOrderlyTunnel) return message(DPCAP_AGENT_MIRROR_SET_TUNNEL, flaw, orderly_tunnel(body));
  if (operation == kOrderlyFlow) return message(DPCAP_AGENT_FLOW_SET, flaw, orderly_flow(body));
  if (operation == DPCAP_AGENT_PREPARE && body.size() >= sizeof(uint64_t)) {
    uint64_t memory;
    memcpy(&memory, body.data(), sizeof memory);
    memory %= kMostMemory;
    memcpy(body.data(), &memory, sizeof memory);
  }
  dpcap_agent_header head{
      DPCAP_AGENT_MAGIC, DPCAP_AGENT_VERSION, operation, static_cast<uint32_t>(sizeof head + body.size()), 1, 0, 0};
  if (flaw == 1) head.magic++;
  if (flaw == 2) head.version++;
  if (flaw == 3) head.length++;
  std::vector<uint8_t> bytes(sizeof head);
  memcpy(bytes.data(), &head, sizeof head);
  bytes.insert(bytes.end(), body.begin(), body.end());
  if (flaw == 4) bytes.resize(bytes.size() / 2);
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string path = start_server();
  const int fd = connect_to(path);
  for (size_t at = 0; at + 3 <= size;) {
    const uint8_t operation = kOperations[data[at] % sizeof kOperations], flaw = data[at + 1] < 16 ? data[at + 1] : 0;
    const size_t length = std::min<size_t>(data[at + 2], size - at - 3);
    const std::vector<uint8_t> bytes = message(operation, flaw, {data + at + 3, data + at + 3 + length});
    at += 3 + length;
    if (send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0 || !take_answer(fd)) break;
    pass_packets();
  }
  close(fd);
  return 0;
}
