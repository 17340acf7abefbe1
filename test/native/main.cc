// Native unit tests: what needs neither EAL nor huge pages. Run through test/native.ts.
#include "tap.h"

void test_arrivals();
void test_clock();
void test_record();
void test_packet();
void test_recorder();
void test_hand_over();
void test_direct_io();
void test_file_sink();
void test_merge();
void test_lane();
void test_limit();
void test_portions();
void test_circulation();
void test_frame_sink();
void test_interfaces();

int main() {
  test_arrivals();
  test_clock();
  test_record();
  test_packet();
  test_recorder();
  test_hand_over();
  test_direct_io();
  test_file_sink();
  test_merge();
  test_lane();
  test_limit();
  test_portions();
  test_circulation();
  test_frame_sink();
  test_interfaces();
  return tap_end();
}
