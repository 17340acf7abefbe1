// The tunnel sink on a real interface, whose peer sees what it sends.
#include "sink/tunnel/tunnel_sink.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

#include "base/error.h"
#include "copies.h"
#include "sink/tunnel/tunnel_socket.h"
#include "tap.h"
#include "tunnel/frames.h"

using namespace dpcap;

namespace {

constexpr dpcap_tunnel kErspan{DPCAP_ERSPAN_III, 5, 0, 1, false};
constexpr dpcap_tunnel kVxlan{DPCAP_VXLAN, 5, 4789, 0, false};
constexpr uint64_t kLater = 1'000'000'000'000;

bool shell(const std::string& command) { return system((command + " >/dev/null 2>&1").c_str()) == 0; }

// The host is 192.0.2.1, its collector 192.0.2.9, behind a wire whose other end is a packet socket here.
class Wire {
 public:
  Wire() {
    CHECK(shell("sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.router_solicitations=0"));
    CHECK(shell("ip link set lo up && ip link add dpcap1 type veth peer name dpcap2"));
    CHECK(shell("ip link set dpcap1 addrgenmode none up && ip link set dpcap2 addrgenmode none arp off up"));
    CHECK(shell("ip address add 192.0.2.1/24 dev dpcap1 && ip address add 2001:db8::1/64 dev dpcap1 nodad"));
    CHECK(shell("ip neighbour add 192.0.2.9 lladdr 02:00:00:00:00:09 dev dpcap1"));
    CHECK(shell("ip neighbour add 2001:db8::9 lladdr 02:00:00:00:00:09 dev dpcap1"));
    fd_ = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));
    sockaddr_ll at{};
    at.sll_family = AF_PACKET;
    at.sll_protocol = htons(ETH_P_ALL);
    at.sll_ifindex = static_cast<int>(if_nametoindex("dpcap2"));
    CHECK(bind(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  }
  ~Wire() {
    close(fd_);
    CHECK(shell("ip link del dpcap1"));
  }

  // What came for the collector: the packets behind their Ethernet headers.
  std::vector<Bytes> received() const {
    std::vector<Bytes> packets;
    Bytes frame(70000);
    for (ssize_t size = 0; (size = read(fd_, frame.data(), frame.size())) > 0;) {
      if (frame[5] == 9) packets.emplace_back(frame.begin() + 14, frame.begin() + size);
    }
    return packets;
  }

 private:
  int fd_;
};

TunnelEnds ends(dpcap_tunnel_kind kind, uint32_t mtu = 0) { return {"192.0.2.9", "", kind, mtu, 61, 46}; }

struct Tunnel {
  explicit Tunnel(const dpcap_tunnel& tunnel, const TunnelEnds& ends, uint32_t max_rate = 0)
      : books(2), socket(open_tunnel_socket(ends)), sink(socket.fd, {tunnel, socket.mtu, max_rate}, books.counters) {}
  Books books;
  TunnelSocket socket;
  TunnelSink sink;
};

void put_frames(TunnelSink& sink, const std::vector<Bytes>& frames, Direction direction = Direction::rx) {
  Packets packets(direction == Direction::rx ? 0 : 1, direction);
  for (const Bytes& frame : frames) packets.add(frame);
  put(sink, packets.burst());
}

// Byte for byte as the functions of tunnel/ make them.
void as_made() {
  const Wire wire;
  for (const dpcap_tunnel& made : {kErspan, kVxlan}) {
    Tunnel tunnel(made, ends(made.kind));
    const std::vector<Bytes> frames{udp_frame(1, 2, 3, 4), udp_frame(2, 1, 4, 3, 200)};
    put_frames(tunnel.sink, frames);
    put_frames(tunnel.sink, frames, Direction::tx);
    const std::vector<Bytes> packets = wire.received();
    CHECK(packets.size() == 4);
    for (uint32_t i = 0; i < packets.size(); i++) {
      const Bytes& packet = packets[i];
      const Bytes& frame = frames[i % 2];
      const auto size = static_cast<uint32_t>(frame.size());
      const Bytes whole =
          tunnel_packet(made, ipv4_ends(), frame, {size, i, 1'500'000'123'456'789u + i % 2, 0, i >= 2, false});
      CHECK(Bytes(packet.begin() + 20, packet.end()) == Bytes(whole.begin() + 34, whole.end()));
      CHECK(packet[1] == 46 << 2 && packet[8] == 61 && (packet[6] & 0x40) != 0);  // DSCP, TTL, not to be fragmented
    }
    CHECK(tunnel.books.counters.bytes_written() == 2 * (60 + 242) && tunnel.books.ledger[1].lost == 0);
    CHECK(tunnel.socket.source == "192.0.2.1" && tunnel.socket.mtu == 1500);
  }
}

std::string refusal_to_open(const TunnelEnds& ends) {
  try {
    close(open_tunnel_socket(ends).fd);
    return "none";
  } catch (const Error& error) {
    return error.code() + " " + strerrorname_np(error.err()) + " " + error.subject();
  }
}

// With a checksum, which a collector may insist on. QEMU's user emulation (7.2) does not know each option of IPv6.
void over_ipv6() {
  const Wire wire;
  const TunnelEnds ends{"2001:db8::9", "2001:db8::1", DPCAP_VXLAN, 1400, 61, 46};
  if (refusal_to_open(ends) == "ERR_SINK_OPEN ENOPROTOOPT 2001:db8::9") return note("this is no whole Linux");
  Tunnel tunnel(kVxlan, ends);
  put_frames(tunnel.sink, {udp_frame(1, 2, 3, 4), udp_frame(1, 2, 3, 4, 2000)});
  const std::vector<Bytes> packets = wire.received();
  CHECK(packets.size() == 2 && packets[0][6] == 17 && packets[0][7] == 61 && packets[1].size() == 1400);
  CHECK(dpcap_get16(&packets[0][46]) != 0);
  CHECK(tunnel.books.counters.has(SinkRemark::cut) && tunnel.books.ledger[0].lost == 0);
}

// A frame fills a packet of the path's size, and no more; what is cut off does not count as written.
void long_frames_are_cut() {
  const Wire wire;
  Tunnel tunnel(kErspan, ends(DPCAP_ERSPAN_III, 600));
  const uint32_t most = 600 - 20 - 28;
  put_frames(tunnel.sink, {udp_frame(1, 2, 3, 4, most - 42), udp_frame(1, 2, 3, 4, most - 42 + 1)});
  const std::vector<Bytes> packets = wire.received();
  CHECK(packets.size() == 2 && packets[0].size() == 600 && packets[1].size() == 600);
  CHECK((packets[0][30] & 4) == 0 && (packets[1][30] & 4) != 0);
  CHECK(tunnel.books.counters.bytes_written() == 2 * most && tunnel.books.ledger[0].lost == 0);
  CHECK(tunnel.books.ledger[0].lost_bytes == 1);
}

void own_packets_are_left_out() {
  const Wire wire;
  Tunnel tunnel(kErspan, ends(DPCAP_ERSPAN_III));
  put_frames(tunnel.sink, {udp_frame(1, 2, 3, 4)});
  std::vector<Bytes> again = wire.received();
  const uint8_t ethernet[14] = {0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 1, 8, 0};
  again[0].insert(again[0].begin(), ethernet, ethernet + 14);
  put_frames(tunnel.sink, again);
  CHECK(wire.received().empty() && tunnel.books.counters.has(SinkRemark::own));
  CHECK(tunnel.books.ledger[0].own == 1 && tunnel.books.ledger[0].own_bytes == again[0].size());
}

void no_more_than_the_rate() {
  const Wire wire;
  Tunnel tunnel(kErspan, ends(DPCAP_ERSPAN_III), 100);
  put_frames(tunnel.sink, std::vector<Bytes>(1000, udp_frame(1, 2, 3, 4)));
  const size_t sent = wire.received().size();
  CHECK(sent >= 10 && sent < 1000 && tunnel.books.ledger[0].lost == 1000 - sent);
  CHECK(tunnel.books.counters.has(SinkRemark::rate) && tunnel.books.counters.failure() == 0);
}

// The capture goes on, and so does the sending when there is a way again.
void way_goes_and_comes() {
  const Wire wire;
  Tunnel tunnel(kErspan, ends(DPCAP_ERSPAN_III));
  CHECK(shell("ip address del 192.0.2.1/24 dev dpcap1"));
  put_frames(tunnel.sink, {udp_frame(1, 2, 3, 4), udp_frame(1, 2, 3, 4)});
  CHECK(tunnel.books.ledger[0].lost == 2 && tunnel.books.counters.refusal() == ENETUNREACH);
  CHECK(tunnel.books.counters.failure() == 0);
  CHECK(shell("ip address add 192.0.2.1/24 dev dpcap1"));
  CHECK(shell("ip neighbour replace 192.0.2.9 lladdr 02:00:00:00:00:09 dev dpcap1"));
  put_frames(tunnel.sink, {udp_frame(1, 2, 3, 4)});
  CHECK(wire.received().size() == 1 && tunnel.books.ledger[0].lost == 2);
}

// The first frame that is too long for a path that has become narrower is lost, and the next are cut.
void path_becomes_narrow() {
  const Wire wire;
  Tunnel tunnel(kErspan, ends(DPCAP_ERSPAN_III));
  CHECK(shell("ip link set dpcap1 mtu 1000"));
  put_frames(tunnel.sink, {udp_frame(1, 2, 3, 4, 1200)});
  CHECK(tunnel.books.ledger[0].lost == 1 && tunnel.books.counters.refusal() == EMSGSIZE);
  put_frames(tunnel.sink, {udp_frame(1, 2, 3, 4, 1200)});
  const std::vector<Bytes> packets = wire.received();
  CHECK(packets.size() == 1 && packets[0].size() == 1000 && tunnel.books.ledger[0].lost == 1);
}

// Nobody listens on 127.0.0.1: the network's answers count as packets that did not arrive.
void refused_by_the_other_end() {
  Tunnel tunnel(kVxlan, {"127.0.0.1", "", DPCAP_VXLAN, 0, 64, 0});
  put_frames(tunnel.sink, {udp_frame(1, 2, 3, 4)});
  tunnel.sink.tick(kLater, 0);
  CHECK(tunnel.books.counters.refusal() == ECONNREFUSED && tunnel.books.counters.failure() == 0);
  CHECK(tunnel.books.ledger[0].lost == 0);
  put_frames(tunnel.sink, {udp_frame(1, 2, 3, 4), udp_frame(1, 2, 3, 4)});
  CHECK(tunnel.books.ledger[0].lost == 1 && tunnel.books.counters.bytes_written() == 2 * 60);
}

// A queue on the way that throws packets away says so, and is not waited for.
void full_queue_on_the_way() {
  const Wire wire;
  CHECK(shell("tc qdisc add dev dpcap1 root tbf rate 8kbit burst 1600 limit 1600"));
  Tunnel tunnel(kErspan, ends(DPCAP_ERSPAN_III));
  put_frames(tunnel.sink, std::vector<Bytes>(100, udp_frame(1, 2, 3, 4, 1000)));
  CHECK(tunnel.books.ledger[0].lost >= 90 && tunnel.books.counters.refusal() == ENOBUFS);
}

void refusals() {
  const Wire wire;
  TunnelEnds wrong = ends(DPCAP_VXLAN);
  CHECK(refusal_to_open(wrong) == "none");
  wrong.source = "192.0.2.77";
  CHECK(refusal_to_open(wrong) == "ERR_SINK_OPEN EADDRNOTAVAIL 192.0.2.77");
  wrong.source = "2001:db8::1";
  CHECK(refusal_to_open(wrong) == "ERR_SINK_OPEN EAFNOSUPPORT 2001:db8::1");
  CHECK(refusal_to_open(ends(DPCAP_VXLAN, 1501)) == "ERR_SINK_OPEN EMSGSIZE 192.0.2.9");
  for (const auto& [address, refusal] : std::vector<std::pair<std::string, std::string>>{
           {"203.0.113.1", "ENETUNREACH"}, {"localhost", "EINVAL"}, {"192.0.2.255", "EACCES"}}) {
    wrong = {address, "", DPCAP_GRETAP, 0, 64, 0};
    CHECK(refusal_to_open(wrong) == "ERR_SINK_OPEN " + refusal + " " + address);
  }
}

}  // namespace

void test_tunnel_sink() {
  std::thread([] {
    if (unshare(CLONE_NEWNET) != 0) return note("no network namespaces here");
    as_made();
    over_ipv6();
    long_frames_are_cut();
    own_packets_are_left_out();
    no_more_than_the_rate();
    // QEMU's user emulation (7.2) hands on neither what a path takes nor what a socket's queue of errors has.
    if (getenv("DPCAP_EMULATED") != nullptr) return note("emulated: without a queue of errors");
    way_goes_and_comes();
    path_becomes_narrow();
    refused_by_the_other_end();
    full_queue_on_the_way();
    refusals();
  }).join();
}
