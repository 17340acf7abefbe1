#include "primary/versions.h"

#include "base/error.h"
#include "tap.h"

using namespace dpcap;

namespace {

std::string refusal(size_t library_bytes) {
  try {
    refuse_other_rings(library_bytes);
    return "";
  } catch (const Error& error) {
    return error.code();
  }
}

std::string lcore_refusal(const std::string& log) {
  try {
    refuse_fewer_lcores(log);
    return "";
  } catch (const Error& error) {
    return error.code();
  }
}

}  // namespace

void test_versions() {
  // 22.11 and 24.11, then 25.11; then what other attempts, or other libraries, are for.
  CHECK(lcore_refusal("EAL: Detected CPU lcores: 2\nEAL: invalid parameter for --lcores\n") == "ERR_VERSION_MISMATCH");
  CHECK(lcore_refusal("EAL: invalid lcore mapping list: '127@(0,1)'\n") == "ERR_VERSION_MISMATCH");
  CHECK(lcore_refusal("EAL: Detected CPU lcores: 2\nEAL: Cannot mmap memory for rte_config\n").empty());
  CHECK(lcore_refusal("EAL: Cannot init tail queues for objects\n").empty());
  CHECK(refusal(ring_bytes_of_libraries()).empty());
  // With cache lines of 64 bytes the ring's head takes 384 bytes, with 128 it takes 768.
  for (const size_t head : {384, 768}) {
    const size_t bytes = head + 1024 * sizeof(void*);
    CHECK(refusal(bytes) == (bytes == ring_bytes_of_libraries() ? "" : "ERR_VERSION_MISMATCH"));
  }
}
