#include "core/frame_sink.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "copies.h"
#include "core/error.h"
#include "core/packet_socket.h"
#include "core/tap.h"
#include "tap.h"

using namespace dpcap;

namespace {

// A pair of sockets that keeps frames apart stands for an interface: the sink has one end, the test the other.
struct Wire {
  Wire() {
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends) == 0);
    sink = ends[0];
    kernel = ends[1];
  }
  ~Wire() { close(kernel); }
  // Sizes of the frames that came, whose bytes are their own size.
  std::vector<size_t> received() const {
    std::vector<size_t> sizes;
    uint8_t frame[4096];
    for (ssize_t size = 0; (size = read(kernel, frame, sizeof frame)) > 0;) {
      CHECK(frame[0] == static_cast<uint8_t>(size) && frame[size - 1] == static_cast<uint8_t>(size));
      sizes.push_back(static_cast<size_t>(size));
    }
    return sizes;
  }
  int sink;
  int kernel;
};

void frames_by_direction() {
  const Wire rx, tx;
  SinkFigures figures(2);
  FrameSink sink(rx.sink, tx.sink, 0, CopyMode::plain, true, figures);
  Packets received(0), sent(1, Direction::tx);
  received.add_sized(1, 60).add_sized(1, 1514);
  sent.add_sized(1, 61);
  sink.put(received.run());
  sink.put(sent.run());
  CHECK(rx.received() == (std::vector<size_t>{60, 1514}));
  CHECK(tx.received() == std::vector<size_t>{61});
  CHECK(sink.figures().bytes_written() == 60 + 61 + 1514 && sink.figures().failure() == 0);
  CHECK(sink.figures().lost(0) == 0 && sink.figures().lost(1) == 0);
}

// Stamped copies lose their wrapping, and those in several mbufs arrive as one frame.
void frames_in_pieces() {
  const Wire wire;
  SinkFigures figures(1);
  FrameSink sink(wire.sink, wire.sink, 0, CopyMode::stamped, true, figures);
  Packets packets;
  for (const size_t segment : {9999, 700, 40}) {
    packets.add(stamped(std::vector<uint8_t>(1000, static_cast<uint8_t>(1000)), 1000), segment);
  }
  sink.put(packets.run());
  CHECK(wire.received() == (std::vector<size_t>{1000, 1000, 1000}));
}

// What exceeds the rate is lost and counted; the bucket holds a tenth of a second, and begins full.
// The thread that writes has no second descriptor of a file of EAL's; what wakes other threads up works there.
void own_descriptors() {
  const Wire wire;
  SinkFigures figures(1);
  FrameSink sink(wire.sink, wire.sink, 0, CopyMode::plain, true, figures);
  const int file = memfd_create("huge page", 0), directory = open("/", O_RDONLY | O_DIRECTORY), event = eventfd(0, 0);
  std::thread([&] {
    sink.enter();
    CHECK(fcntl(file, F_GETFD) == -1 && fcntl(directory, F_GETFD) == -1);
    const uint64_t one = 1;
    CHECK(write(event, &one, sizeof one) == sizeof one && fcntl(STDERR_FILENO, F_GETFD) != -1);
    Packets packets(0);
    packets.add_sized(1, 60);
    sink.put(packets.run());
    sink.leave();
  }).join();
  CHECK(wire.received() == std::vector<size_t>{60});
  for (const int fd : {file, directory, event}) CHECK(close(fd) == 0);  // here they are as before
}

void max_rate() {
  const Wire wire;
  SinkFigures figures(1);
  FrameSink sink(wire.sink, wire.sink, 10, CopyMode::plain, true, figures);
  Packets packets;
  packets.add_sized(1000, 60);
  sink.put(packets.run());
  const size_t written = wire.received().size();
  CHECK(written >= 1 && written < 1000);
  CHECK(sink.figures().lost(0) == 1000 - written && sink.figures().failure() == 0);
}

// What the kernel sends is taken away, and neither fills its queue nor comes back.
void incoming_is_dropped() {
  const Wire wire;
  SinkFigures figures(1);
  FrameSink sink(wire.sink, wire.sink, 0, CopyMode::plain, true, figures);
  uint64_t now = 0;
  for (int i = 0; i < 1000; i++) {
    while (write(wire.kernel, "from the kernel", 15) < 0) sink.tick(now += 1'000'000'000'000, 0);  // full
  }
  CHECK(wire.received().empty());
}

// A full queue is waited for: nothing is lost to a reader that is merely slow.
void full_queue_is_waited_for() {
  const Wire wire;
  SinkFigures figures(1);
  FrameSink sink(wire.sink, wire.sink, 0, CopyMode::plain, true, figures);
  Packets packets(0, Direction::tx);
  packets.add_sized(5000, 60);
  std::thread writer([&] { sink.put(packets.run()); });
  size_t received = 0;
  while (received + sink.figures().lost(0) < 5000) received += wire.received().size();
  writer.join();
  CHECK(received == 5000 && sink.figures().lost(0) == 0);
}

// One that never empties is given up, frame by frame; at the end of a capture all at once.
void stuck_queue_is_given_up() {
  const Wire wire;
  SinkFigures figures(1);
  FrameSink sink(wire.sink, wire.sink, 0, CopyMode::plain, true, figures);
  Packets frame(0, Direction::tx), packets(0, Direction::tx);
  frame.add_sized(1, 60);
  packets.add_sized(5000, 60);
  size_t put = 0;
  for (; sink.figures().lost(0) == 0; put++) sink.put(frame.run());
  sink.give_up_on_stalls();
  sink.put(packets.run());
  CHECK(sink.figures().failure() == 0 && sink.figures().lost(0) + wire.received().size() == put + 5000);
}

// The rest needs a real interface, in a network namespace that goes with its thread.
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
    SinkFigures figures(1);
    FrameSink sink(fd, fd, 0, CopyMode::plain, true, figures);
    Packets packets;
    packets.add_sized(1, 60);
    sink.put(packets.run());
    CHECK(sink.figures().lost(0) == 0 && sink.figures().bytes_written() == 60);
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
  SinkFigures figures(1, [&] { told++; });
  FrameSink sink(fds[0], fds[0], 0, CopyMode::plain, true, figures);
  Packets packets, more;
  packets.add_sized(1, 5).add_sized(1, 60);
  more.add_sized(1, 60);
  sink.put(packets.run());
  CHECK(sink.figures().bytes_written() == 60 && sink.figures().lost(0) == 1 && sink.figures().failure() == 0);
  CHECK(shell("ip link del dpcap0"));
  CHECK(told == 0);
  sink.tick(1'000'000'000'000, 0);
  CHECK(sink.figures().failure() == EBADFD && told == 1);
  sink.put(more.run());
  CHECK(sink.figures().lost(0) == 2 && sink.figures().bytes_written() == 60 && told == 1);
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
  sink->put(packets.run());
}

// A frame that the interface refuses is lost alone: too long, too short, or because it is down.
void sent_by_interface() {
  make_veth();
  CHECK(is_interface("dpcap1") && !is_interface("dpcap1:0") && !is_interface("./dpcap1") && !is_interface("dpcap9"));
  const int fd = open_packet_socket("dpcap1");
  SinkFigures figures(1);
  FrameSink sink(fd, fd, 0, CopyMode::plain, true, figures);
  send_frames(&sink, {60, 1514, 1515, 5});
  CHECK(figures.bytes_written() == 60 + 1514 && figures.lost(0) == 2);
  CHECK(shell("ip link set dpcap1 down"));
  send_frames(&sink, {60});
  CHECK(figures.bytes_written() == 60 + 1514 && figures.lost(0) == 3);
  CHECK(shell("ip link set dpcap1 up"));
  send_frames(&sink, {61});
  sink.tick(1'000'000'000'000, 0);
  CHECK(figures.bytes_written() == 60 + 1514 + 61 && figures.lost(0) == 3 && figures.failure() == 0);
  CHECK(shell("ip -s -j link show dpcap2 | grep -q '\"rx\":{\"bytes\":1635,\"packets\":3,'"));
}

// Noticed with packets and without.
void sending_interface_goes() {
  const int busy = open_packet_socket("dpcap1");
  const int idle = open_packet_socket("dpcap2");
  SinkFigures of_sender(1), of_waiter(1);
  FrameSink sender(busy, busy, 0, CopyMode::plain, true, of_sender);
  FrameSink waiter(idle, idle, 0, CopyMode::plain, true, of_waiter);
  CHECK(shell("ip link del dpcap1"));
  send_frames(&sender, {60});
  waiter.tick(1'000'000'000'000, 0);
  CHECK(of_sender.failure() == ENXIO && of_sender.lost(0) == 1);
  CHECK(of_waiter.failure() == ENODEV);
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

void test_frame_sink() {
  frames_by_direction();
  frames_in_pieces();
  own_descriptors();
  max_rate();
  incoming_is_dropped();
  full_queue_is_waited_for();
  stuck_queue_is_given_up();
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
