// The frame sink on real interfaces: TAP and packet sockets.
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "copies.h"
#include "sink/interface/packet_socket.h"
#include "sink/interface/tap_device.h"
#include "sink/interface_sink.h"
#include "tap.h"

using namespace dpcap;

namespace {

// In a network namespace that goes with its thread.
bool enter_private_namespace() { return unshare(CLONE_NEWNET) == 0 && access("/dev/net/tun", R_OK | W_OK) == 0; }

bool shell(const std::string& command) { return system((command + " >/dev/null 2>&1").c_str()) == 0; }

std::string refusal(const TapOptions& options) {
  try {
    create_tap(options);
    return "none";
  } catch (const Error& error) {
    return error.code() + " " + strerrorname_np(error.err()) + " " + error.subject();
  }
}

void interface_is_inert() {
  const std::vector<int> fds = create_tap({"dpcap0", "", 9216, 1});
  CHECK(fds.size() == 1);
  CHECK(shell("ip link show dpcap0 | grep -q 'NOARP,PROMISC,UP.* mtu 9216'"));
  CHECK(shell("test -z \"$(ip -brief address show dpcap0 | awk '{print $3}')\""));
  CHECK(!shell("ip link show dpcap0 | grep -q MULTICAST"));
  CHECK(refusal({"dpcap0", "", 1500, 1}) == "ERR_SINK_OPEN EBUSY dpcap0");
  close(fds[0]);
  CHECK(!shell("ip link show dpcap0"));
}

void several_queues() {
  const std::vector<int> fds = create_tap({"dpcap0", "", 1500, 3});
  CHECK(fds.size() == 3);
  for (const int fd : {fds[0], fds[1]}) {
    Books books(1);
    InterfaceSink sink(fd, fd, 0, InterfaceSink::Order::of_arrival, books.counters);
    Packets packets;
    packets.add_sized(1, 60);
    put(sink, packets.burst());
    CHECK(books.ledger[0].lost == 0 && sink.counters().bytes_written() == 60);
  }
  CHECK(shell("ip link show dpcap0"));  // until the last queue is closed
  close(fds[2]);
  CHECK(!shell("ip link show dpcap0"));
}

// One frame that the interface does not take is lost alone; an interface that is gone ends the sink, with or without
// packets.
void refused_and_gone() {
  const std::vector<int> fds = create_tap({"dpcap0", "", 1500, 1});
  int told = 0;
  Books books(1, [&] { told++; });
  InterfaceSink sink(fds[0], fds[0], 0, InterfaceSink::Order::of_arrival, books.counters);
  Packets packets, more;
  packets.add_sized(1, 5).add_sized(1, 60);
  more.add_sized(1, 60);
  put(sink, packets.burst());
  CHECK(sink.counters().bytes_written() == 60 && books.ledger[0].lost == 1 && sink.counters().failure() == 0);
  CHECK(shell("ip link del dpcap0"));
  CHECK(told == 0);
  sink.tick(1'000'000'000'000, 0);
  CHECK(sink.counters().failure() == EBADFD && told == 1);
  put(sink, more.burst());
  CHECK(books.ledger[0].lost == 2 && sink.counters().bytes_written() == 60 && told == 1);
}

void refusals() {
  CHECK(refusal({"sixteen-letters-", "", 1500, 1}) == "ERR_SINK_OPEN ENAMETOOLONG sixteen-letters-");
  CHECK(refusal({"", "", 1500, 1}) == "ERR_SINK_OPEN ENAMETOOLONG ");
  CHECK(refusal({"dpcap0", "dpcap-nonesuch", 1500, 1}) == "ERR_SINK_OPEN ENOENT dpcap-nonesuch");
  CHECK(refusal({"dpcap0", "", 1, 1}) == "ERR_SINK_OPEN EINVAL dpcap0");
  CHECK(refusal({"lo", "", 1500, 1}) == "ERR_SINK_OPEN EBUSY lo");
  CHECK(!shell("ip link show dpcap0"));
}

// What packet sockets are for: dpcap1 sends, its peer dpcap2 receives.
void make_veth() {
  CHECK(shell("sysctl -qw net.ipv6.conf.default.disable_ipv6=1"));  // the kernel says nothing of its own
  CHECK(shell("ip link add dpcap1 mtu 1500 type veth peer name dpcap2"));
  CHECK(shell("ip link set dpcap2 up && ip link set dpcap1 up"));
  // The kernel says a little later that there is a carrier.
  for (const char* name : {"dpcap1", "dpcap2"}) {
    CHECK(shell("timeout 10 sh -c 'until ip link show " + std::string(name) + " | grep \"state UP\"; do :; done'"));
  }
}

// One frame of each size.
void send_frames(FrameSink* sink, const std::vector<uint32_t>& sizes) {
  Packets packets(0, Direction::tx);
  for (const uint32_t size : sizes) packets.add_sized(1, size);
  put(*sink, packets.burst());
}

// A frame that the interface refuses is lost alone: too long, too short, or because it is down.
void sent_by_interface() {
  make_veth();
  CHECK(is_interface("dpcap1") && !is_interface("dpcap1:0") && !is_interface("./dpcap1") && !is_interface("dpcap9"));
  const int fd = open_packet_socket("dpcap1");
  Books books(1);
  InterfaceSink sink(fd, fd, 0, InterfaceSink::Order::of_arrival, books.counters);
  send_frames(&sink, {60, 1514, 1515, 5});
  CHECK(books.counters.bytes_written() == 60 + 1514 && books.ledger[0].lost == 2);
  CHECK(shell("ip link set dpcap1 down"));
  send_frames(&sink, {60});
  CHECK(books.counters.bytes_written() == 60 + 1514 && books.ledger[0].lost == 3);
  CHECK(shell("ip link set dpcap1 up"));
  send_frames(&sink, {61});
  sink.tick(1'000'000'000'000, 0);
  CHECK(books.counters.bytes_written() == 60 + 1514 + 61 && books.ledger[0].lost == 3 && books.counters.failure() == 0);
  CHECK(shell("ip -s -j link show dpcap2 | grep -q '\"rx\":{\"bytes\":1635,\"packets\":3,'"));
}

// Noticed with packets and without.
void sending_interface_goes() {
  const int busy = open_packet_socket("dpcap1");
  const int idle = open_packet_socket("dpcap2");
  Books of_sender(1), of_waiter(1);
  InterfaceSink sender(busy, busy, 0, InterfaceSink::Order::of_arrival, of_sender.counters);
  InterfaceSink waiter(idle, idle, 0, InterfaceSink::Order::of_arrival, of_waiter.counters);
  CHECK(shell("ip link del dpcap1"));
  send_frames(&sender, {60});
  waiter.tick(1'000'000'000'000, 0);
  CHECK(of_sender.counters.failure() == ENXIO && of_sender.ledger[0].lost == 1);
  CHECK(of_waiter.counters.failure() == ENODEV);
}

std::string refusal_to_send(const std::string& name) {
  try {
    close(open_packet_socket(name));
    return "none";
  } catch (const Error& error) {
    return error.code() + " " + strerrorname_np(error.err()) + " " + error.subject();
  }
}

void refusals_to_send() {
  make_veth();
  CHECK(refusal_to_send("dpcap1") == "none");
  CHECK(shell("ip link set dpcap2 down"));
  while (refusal_to_send("dpcap1") == "none") std::this_thread::yield();  // the kernel says it a little later
  CHECK(refusal_to_send("dpcap1") == "ERR_SINK_OPEN ENOLINK dpcap1");
  CHECK(shell("ip link set dpcap1 down"));
  CHECK(refusal_to_send("dpcap1") == "ERR_SINK_OPEN ENETDOWN dpcap1");
  CHECK(refusal_to_send("dpcap9") == "ERR_SINK_OPEN ENODEV dpcap9");
  // A tunnel, whose frames have no Ethernet header.
  CHECK(shell("ip tuntap add dev dpcap3 mode tun"));
  CHECK(refusal_to_send("dpcap3") == "ERR_SINK_OPEN EPROTOTYPE dpcap3");
}

}  // namespace

void test_interfaces() {
  std::thread([] {
    if (!enter_private_namespace()) return;
    interface_is_inert();
    several_queues();
    refused_and_gone();
    refusals();
    sent_by_interface();
    sending_interface_goes();
    refusals_to_send();
  }).join();
}
