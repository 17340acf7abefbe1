// The bytes of a compressed file, decompressed.
#pragma once
#include <memory>
#include <vector>

#include "codec/codec.h"
#include "reader/input/byte_source.h"

namespace dpcap {

class DecodedSource : public ByteSource {
 public:
  // `seen`: the first bytes of `from`, which were read to find the codec out. `from` outlives this object.
  DecodedSource(ByteSource& from, Codec codec, const std::vector<uint8_t>& seen);

  ssize_t read(uint8_t* bytes, size_t size) override;
  // The file ends in the middle of a frame, as it does after a crash of who wrote it.
  bool is_cut() const override { return !decompressor_->is_between_frames(); }

 private:
  ByteSource& from_;
  const std::unique_ptr<Decompressor> decompressor_;
  std::vector<uint8_t> buffer_;
  size_t begin_ = 0;
  size_t end_;
};

}  // namespace dpcap
