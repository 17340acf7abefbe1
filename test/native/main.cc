// Native unit tests: what needs neither EAL nor huge pages. Run through test/native.ts. Usage: [BEGINNING-OF-A-NAME...]
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "tap.h"

void test_ring_reader();
void test_stamp_clock();
void test_pcap_format();
void test_mbuf_packet();
void test_encoder();
void test_writer_thread();
void test_direct_io();
void test_file_sink();
void test_rotation();
void test_file_spans();
void test_file_change();
void test_merge_thread();
void test_pdump_lane();
void test_owner_record();
void test_limit();
void test_ledger();
void test_capture();
void test_mbuf_bulks();
void test_working_set();
void test_interface_sink();
void test_interfaces();
void test_tunnel_headers();
void test_tunnel_packets();
void test_tunnel_sink();
void test_agent_records();
void test_agent_data_path();
void test_agent_halted_thread();
void test_agent_clock();
void test_agent_lanes();
void test_agent_mirrors();
void test_agent_port_targets();
void test_agent_mirror_life();
void test_agent_mirror_orders();
void test_agent_tunnels();
void test_agent_tunnel_parts();
void test_agent_flow();
void test_agent_flow_orders();
void test_agent_orders();
void test_agent_server();
void test_filter_jit();
void test_injected_call();
void test_recorder_save();
void test_recorder_box();
void test_recorder_orders();
void test_codecs();
void test_compressed_file();
void test_overflow();
void test_disk_room();
void test_packet_files();
void test_file_source();
void test_versions();
void test_release();
#ifdef DPCAP_HAS_EBPF
void test_ebpf_places();
void test_ebpf_poller();
void test_ebpf_kernel();
#endif

namespace {

// Each takes seconds at most; one that spins for ever is named.
constexpr unsigned kLimitS = 100;
const char* running = "";

void name_who_hangs(int) {
  dprintf(STDERR_FILENO, "%s did not end within %u s\n", running, kLimitS);
  _exit(1);
}

// The beginnings of the names of the tests to run; none: all of them.
std::vector<std::string> wanted;

bool is_wanted(const std::string& name) {
  return wanted.empty() ||
         std::any_of(wanted.begin(), wanted.end(), [&](const std::string& one) { return name.rfind(one, 0) == 0; });
}

void run(const char* name, void (*test)()) {
  if (!is_wanted(name)) return;
  running = name;
  alarm(kLimitS);
  test();
  alarm(0);
}

}  // namespace

int main(int argc, char** argv) {
  wanted.assign(argv + 1, argv + argc);
  signal(SIGALRM, name_who_hangs);
  run("ring_reader", test_ring_reader);
  run("stamp_clock", test_stamp_clock);
  run("pcap_format", test_pcap_format);
  run("mbuf_packet", test_mbuf_packet);
  run("encoder", test_encoder);
  run("writer_thread", test_writer_thread);
  run("direct_io", test_direct_io);
  run("file_sink", test_file_sink);
  run("rotation", test_rotation);
  run("file_spans", test_file_spans);
  run("file_change", test_file_change);
  run("merge_thread", test_merge_thread);
  run("pdump_lane", test_pdump_lane);
  run("owner_record", test_owner_record);
  run("limit", test_limit);
  run("ledger", test_ledger);
  run("capture", test_capture);
  run("mbuf_bulks", test_mbuf_bulks);
  run("working_set", test_working_set);
  run("interface_sink", test_interface_sink);
  run("interfaces", test_interfaces);
  run("tunnel_headers", test_tunnel_headers);
  run("tunnel_packets", test_tunnel_packets);
  run("tunnel_sink", test_tunnel_sink);
  run("agent_records", test_agent_records);
  run("agent_data_path", test_agent_data_path);
  run("agent_halted_thread", test_agent_halted_thread);
  run("agent_clock", test_agent_clock);
  run("agent_lanes", test_agent_lanes);
  run("agent_mirrors", test_agent_mirrors);
  run("agent_port_targets", test_agent_port_targets);
  run("agent_mirror_life", test_agent_mirror_life);
  run("agent_mirror_orders", test_agent_mirror_orders);
  run("agent_tunnels", test_agent_tunnels);
  run("agent_tunnel_parts", test_agent_tunnel_parts);
  run("agent_flow", test_agent_flow);
  run("agent_flow_orders", test_agent_flow_orders);
  run("agent_orders", test_agent_orders);
  run("agent_server", test_agent_server);
  run("filter_jit", test_filter_jit);
  run("injected_call", test_injected_call);
  run("recorder_save", test_recorder_save);
  run("recorder_box", test_recorder_box);
  run("recorder_orders", test_recorder_orders);
  run("codecs", test_codecs);
  run("compressed_file", test_compressed_file);
  run("overflow", test_overflow);
  run("disk_room", test_disk_room);
  run("packet_files", test_packet_files);
  run("file_source", test_file_source);
  run("versions", test_versions);
  run("release", test_release);
#ifdef DPCAP_HAS_EBPF
  run("ebpf_places", test_ebpf_places);
  run("ebpf_poller", test_ebpf_poller);
  run("ebpf_kernel", test_ebpf_kernel);
#endif
  return tap_end();
}
