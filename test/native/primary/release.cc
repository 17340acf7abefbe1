#include "primary/release.h"

#include "primary/versions.h"
#include "tap.h"

using namespace dpcap;

// An addon that was built against the first release of an ABI serves the later ones as well.
void test_release() {
  CHECK(release_of(release_number(22, 11)).refill == 257 && release_of(release_number(25, 11)).refill == 257);
  CHECK(release_of(release_number(26, 3)).refill == 257 && release_of(release_number(26, 7)).refill == 128);
  CHECK(!release_of(release_number(25, 7)).forwards_requests && release_of(release_number(25, 11)).forwards_requests);
  CHECK(!release_of(release_number(23, 7)).stamps_raw_tsc && release_of(release_number(23, 11)).stamps_raw_tsc);
  CHECK(running_release().refill == release_of(dpdk_version_number()).refill);
}
