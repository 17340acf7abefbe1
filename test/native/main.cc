// Native unit tests: what needs neither EAL nor huge pages. Run through test/native.ts.
#include "tap.h"

void test_ring_reader();
void test_stamp_clock();
void test_pcap_format();
void test_mbuf_packet();
void test_encoder();
void test_writer_thread();
void test_direct_io();
void test_file_sink();
void test_merge_thread();
void test_lane();
void test_limit();
void test_mbuf_bulks();
void test_working_set();
void test_frame_sink();
void test_interfaces();

int main() {
  test_ring_reader();
  test_stamp_clock();
  test_pcap_format();
  test_mbuf_packet();
  test_encoder();
  test_writer_thread();
  test_direct_io();
  test_file_sink();
  test_merge_thread();
  test_lane();
  test_limit();
  test_mbuf_bulks();
  test_working_set();
  test_frame_sink();
  test_interfaces();
  return tap_end();
}
