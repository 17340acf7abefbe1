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

}  // namespace

void test_versions() {
  CHECK(refusal(ring_bytes_of_libraries()).empty());
  // With cache lines of 64 bytes the ring's head takes 384 bytes, with 128 it takes 768.
  for (const size_t head : {384, 768}) {
    const size_t bytes = head + 1024 * sizeof(void*);
    CHECK(refusal(bytes) == (bytes == ring_bytes_of_libraries() ? "" : "ERR_VERSION_MISMATCH"));
  }
}
