#include "sink/interface_sink.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "copies.h"
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
  Books books(2);
  InterfaceSink sink(rx.sink, tx.sink, 0, InterfaceSink::Order::of_arrival, books.counters);
  Packets received(0), sent(1, Direction::tx);
  received.add_sized(1, 60).add_sized(1, 1514);
  sent.add_sized(1, 61);
  put(sink, received.burst());
  put(sink, sent.burst());
  CHECK(rx.received() == (std::vector<size_t>{60, 1514}));
  CHECK(tx.received() == std::vector<size_t>{61});
  CHECK(sink.counters().bytes_written() == 60 + 61 + 1514 && sink.counters().failure() == 0);
  CHECK(books.ledger[0].lost == 0 && books.ledger[1].lost == 0);
}

// Stamped copies lose their wrapping, and those in several mbufs arrive as one frame.
void frames_in_pieces() {
  const Wire wire;
  Books books(1);
  InterfaceSink sink(wire.sink, wire.sink, 0, InterfaceSink::Order::of_arrival, books.counters);
  Packets packets;
  for (const size_t segment : {9999, 700, 40}) {
    packets.add(stamped(std::vector<uint8_t>(1000, static_cast<uint8_t>(1000)), 1000), segment);
  }
  put(sink, packets.burst(), CopyMode::stamped);
  CHECK(wire.received() == (std::vector<size_t>{1000, 1000, 1000}));
}

// The thread that writes has no second descriptor of a file of EAL's; what wakes other threads up works there.
void own_descriptors() {
  const Wire wire;
  Books books(1);
  InterfaceSink sink(wire.sink, wire.sink, 0, InterfaceSink::Order::of_arrival, books.counters);
  const int file = memfd_create("huge page", 0), directory = open("/", O_RDONLY | O_DIRECTORY), event = eventfd(0, 0);
  std::thread([&] {
    sink.enter();
    CHECK(fcntl(file, F_GETFD) == -1 && fcntl(directory, F_GETFD) == -1);
    const uint64_t one = 1;
    CHECK(write(event, &one, sizeof one) == sizeof one && fcntl(STDERR_FILENO, F_GETFD) != -1);
    Packets packets(0);
    packets.add_sized(1, 60);
    put(sink, packets.burst());
    sink.leave();
  }).join();
  CHECK(wire.received() == std::vector<size_t>{60});
  for (const int fd : {file, directory, event}) CHECK(close(fd) == 0);  // here they are as before
}

// What exceeds the rate is lost and counted; the bucket holds a tenth of a second, and begins full.
void max_rate() {
  const Wire wire;
  Books books(1);
  InterfaceSink sink(wire.sink, wire.sink, 10, InterfaceSink::Order::of_arrival, books.counters);
  Packets packets;
  packets.add_sized(1000, 60);
  put(sink, packets.burst());
  const size_t written = wire.received().size();
  CHECK(written >= 1 && written < 1000);
  CHECK(books.ledger[0].lost == 1000 - written && sink.counters().failure() == 0);
}

// What the kernel sends is taken away, and neither fills its queue nor comes back.
void incoming_is_dropped() {
  const Wire wire;
  Books books(1);
  InterfaceSink sink(wire.sink, wire.sink, 0, InterfaceSink::Order::of_arrival, books.counters);
  uint64_t now = 0;
  for (int i = 0; i < 1000; i++) {
    while (write(wire.kernel, "from the kernel", 15) < 0) sink.tick(now += 1'000'000'000'000, 0);  // full
  }
  CHECK(wire.received().empty());
}

// A full queue is waited for: nothing is lost to a reader that is merely slow.
void full_queue_is_waited_for() {
  const Wire wire;
  Books books(1);
  InterfaceSink sink(wire.sink, wire.sink, 0, InterfaceSink::Order::of_arrival, books.counters);
  Packets packets(0, Direction::tx);
  packets.add_sized(5000, 60);
  std::thread writer([&] { put(sink, packets.burst()); });
  size_t received = 0;
  while (received + books.ledger[0].lost < 5000) received += wire.received().size();
  writer.join();
  CHECK(received == 5000 && books.ledger[0].lost == 0);
}

// One that never empties is given up, frame by frame; at the end of a capture all at once.
void stuck_queue_is_given_up() {
  const Wire wire;
  Books books(1);
  InterfaceSink sink(wire.sink, wire.sink, 0, InterfaceSink::Order::of_arrival, books.counters);
  Packets frame(0, Direction::tx), packets(0, Direction::tx);
  frame.add_sized(1, 60);
  packets.add_sized(5000, 60);
  size_t all = 0;
  for (; books.ledger[0].lost == 0; all++) put(sink, frame.burst());
  sink.give_up_on_stalls();
  put(sink, packets.burst());
  CHECK(sink.counters().failure() == 0 && books.ledger[0].lost + wire.received().size() == all + 5000);
}

}  // namespace

void test_interface_sink() {
  frames_by_direction();
  frames_in_pieces();
  own_descriptors();
  max_rate();
  incoming_is_dropped();
  full_queue_is_waited_for();
  stuck_queue_is_given_up();
}
