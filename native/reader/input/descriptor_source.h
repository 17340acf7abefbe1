// The bytes of a file, a pipe, a FIFO or a socket.
#pragma once
#include "base/fd.h"
#include "reader/input/byte_source.h"

namespace dpcap {

class DescriptorSource : public ByteSource {
 public:
  // Takes `fd` over.
  explicit DescriptorSource(int fd);

  ssize_t read(uint8_t* bytes, size_t size) override;
  // Whether it can be read from its beginning again, as a file can.
  bool can_rewind() const { return is_file_; }
  void rewind();

 private:
  Descriptor fd_;
  const bool is_file_;
  const off_t start_;  // where a file is read from: whoever opened it may have read some of it
};

}  // namespace dpcap
