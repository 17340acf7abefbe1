// Where the bytes of a file that is read come from. One thread at a time.
#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace dpcap {

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  static constexpr ssize_t kEnd = 0;
  static constexpr ssize_t kNothingYet = -1;
  // Reads up to `size` bytes, and never waits for more to come. Returns how many, kEnd or kNothingYet. Throws
  // ERR_INPUT_FILE.
  virtual ssize_t read(uint8_t* bytes, size_t size) = 0;
  // After kEnd: the bytes end where they should not.
  virtual bool is_cut() const { return false; }
};

}  // namespace dpcap
