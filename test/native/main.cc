// Native unit tests: what needs neither EAL nor huge pages. Run through test/native.ts.
#include "tap.h"

void test_clock();
void test_record();
void test_packet();
void test_block_writer();

int main() {
  test_clock();
  test_record();
  test_packet();
  test_block_writer();
  return tap_end();
}
