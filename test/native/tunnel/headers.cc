// What stands in front of mirrored frames, as tshark reads it.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "tap.h"
#include "temporary_file.h"
#include "tunnel/frames.h"

namespace {

constexpr uint64_t kTimeNs = 1'700'000'123'456'789'012;
constexpr dpcap_tunnelled kReceived{60, 41, kTimeNs, 3, false, false};
const Bytes kFrame = udp_frame(1, 2, 1000, 53);

void write_pcap(const TemporaryFile& file, const Bytes& packet) {
  std::ofstream out(file.path, std::ios::binary | std::ios::trunc);
  const uint32_t header[] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 262144, 1};
  const auto size = static_cast<uint32_t>(packet.size());
  const uint32_t record[] = {1, 0, size, size};
  out.write(reinterpret_cast<const char*>(header), sizeof header);
  out.write(reinterpret_cast<const char*>(record), sizeof record);
  out.write(reinterpret_cast<const char*>(packet.data()), size);
}

// The values of these fields, with spaces between them.
std::string read_by_tshark(const Bytes& packet, const std::string& fields) {
  const TemporaryFile file;
  write_pcap(file, packet);
  std::string words =
      "tshark -n -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -T fields -E separator=/s -r " + file.path;
  for (size_t at = 0; at < fields.size();) {
    const size_t end = std::min(fields.find(' ', at), fields.size());
    words += " -e " + fields.substr(at, end - at);
    at = end + 1;
  }
  FILE* const output = popen((words + " 2>/dev/null").c_str(), "r");
  char line[1024] = "";
  const bool is_read = output != nullptr && fgets(line, sizeof line, output) != nullptr;
  if (output != nullptr) pclose(output);
  return is_read ? std::string(line, strcspn(line, "\n")) : "nothing";
}

void erspan_iii() {
  const dpcap_tunnel tunnel{DPCAP_ERSPAN_III, 0x3a5, 0, 17, false};
  const std::string fields =
      "ip.dsfield.dscp ip.flags.df ip.checksum.status gre.proto gre.sequence_number erspan.version erspan.spanid "
      "erspan.direction erspan.truncated erspan.hw erspan.gra erspan.o erspan.platid erspan.pid3.port_index "
      "erspan.timestamp erspan.pid3.timestamp erspan.p erspan.ft udp.dstport";
  CHECK(read_by_tshark(tunnel_packet(tunnel, ipv4_ends(), kFrame, kReceived), fields) ==
        "46,0 1,0 1,0 0x22eb 41 2 933 0 0 17 2 1 3 3 456789012 1700000123 1 0 53");
  const dpcap_tunnelled sent_and_cut{50, 42, kTimeNs, 3, true, true};
  const Bytes packet = tunnel_packet(tunnel, ipv4_ends(), kFrame, sent_and_cut);
  CHECK(read_by_tshark(packet, "erspan.direction erspan.truncated gre.sequence_number frame.len") == "1 1 42 112");
}

// Of VXLAN, for who sends without the kernel.
void udp_checksum() {
  const dpcap_tunnel tunnel{DPCAP_VXLAN, 5, 4789, 0, false};
  for (const dpcap_outer& outer : {ipv4_ends(), ipv6_ends()}) {
    for (const size_t payload : {18, 19}) {
      Bytes packet = tunnel_packet(tunnel, outer, udp_frame(1, 2, 1000, 53, payload));
      const size_t udp = 14 + dpcap_outer_ip_size(&outer);
      const auto size = static_cast<uint32_t>(packet.size() - udp);
      dpcap_put16(&packet[udp + 6], dpcap_outer_udp_checksum(&outer, &packet[udp], size));
      CHECK(read_by_tshark(packet, "udp.checksum.status").substr(0, 1) == "1");
    }
  }
}

// Without the subheader, for Linux: tenths of milliseconds, modulo 2^32.
void erspan_iii_short() {
  const dpcap_tunnel tunnel{DPCAP_ERSPAN_III, 1, 0, 0, true};
  const std::string time = std::to_string(kTimeNs / 100000 % (1ull << 32));
  CHECK(dpcap_tunnel_head_size(&tunnel) == 20);
  CHECK(read_by_tshark(tunnel_packet(tunnel, ipv4_ends(), kFrame, kReceived),
                       "erspan.gra erspan.o erspan.timestamp udp.dstport") == "0 0 " + time + " 53");
}

// A VLAN tag stays in the frame, and is told.
void erspan_ii() {
  const dpcap_tunnel tunnel{DPCAP_ERSPAN_II, 5, 0, 0, false};
  const Bytes tagged = udp_frame(1, 2, 1000, 53, 18, 0xa00a);
  const std::string fields =
      "gre.proto gre.sequence_number erspan.version erspan.vlan erspan.cos erspan.encap erspan.truncated erspan.spanid "
      "erspan.index vlan.id udp.dstport";
  CHECK(read_by_tshark(tunnel_packet(tunnel, ipv4_ends(), tagged, {64, 7, 0, 2, false, false}), fields) ==
        "0x88be 7 1 10 5 3 0 5 2 10 53");
  CHECK(read_by_tshark(tunnel_packet(tunnel, ipv6_ends(), kFrame, kReceived), "ipv6.nxt erspan.encap udp.dstport") ==
        "47 0 53");
}

void gretap() {
  const dpcap_tunnel tunnel{DPCAP_GRETAP, 0xfedcba98, 0, 0, false};
  CHECK(read_by_tshark(tunnel_packet(tunnel, ipv4_ends(), kFrame, kReceived),
                       "gre.proto gre.key gre.sequence_number udp.dstport") == "0x6558 0xfedcba98 41 53");
}

void vxlan() {
  const dpcap_tunnel tunnel{DPCAP_VXLAN, 0xabcdef, 4789, 0, false};
  CHECK(read_by_tshark(tunnel_packet(tunnel, ipv4_ends(), kFrame, kReceived),
                       "udp.dstport udp.length udp.checksum vxlan.flags vxlan.vni") ==
        "4789,53 76,26 0x0000,0x0000 0x0800 11259375");
  CHECK(read_by_tshark(tunnel_packet(tunnel, ipv6_ends(), kFrame, kReceived), "ipv6.plen vxlan.vni") == "76 11259375");
}

}  // namespace

void test_tunnel_headers() {
  if (system("tshark --version >/dev/null 2>&1") != 0) {
    note("there is no tshark");
    return;
  }
  erspan_iii();
  erspan_iii_short();
  erspan_ii();
  gretap();
  vxlan();
  udp_checksum();
}
