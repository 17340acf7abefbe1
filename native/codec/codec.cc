#include "codec/codec.h"

#include <cstring>

#include "base/error.h"

namespace dpcap {

const char* name_of(Codec codec) {
  switch (codec) {
    case Codec::gzip:
      return "gzip";
    case Codec::zstd:
      return "zstd";
    case Codec::lz4:
      return "lz4";
    default:
      return "none";
  }
}

std::unique_ptr<Compressor> make_compressor(Codec codec, int level) {
  switch (codec) {
    case Codec::gzip:
      return make_gzip_compressor(level);
    case Codec::zstd:
      return make_zstd_compressor(level);
    case Codec::lz4:
      return make_lz4_compressor(level);
    default:
      throw Error("ERR_SYSTEM", "there is nothing to compress with");
  }
}

std::unique_ptr<Decompressor> make_decompressor(Codec codec) {
  switch (codec) {
    case Codec::gzip:
      return make_gzip_decompressor();
    case Codec::zstd:
      return make_zstd_decompressor();
    case Codec::lz4:
      return make_lz4_decompressor();
    default:
      throw Error("ERR_SYSTEM", "there is nothing to decompress with");
  }
}

// RFC 1952, RFC 8878 and lz4's frame format. What may be skipped in zstd and lz4 (0x184D2A50 and on) is no beginning of
// a file of packets.
Codec codec_of(const uint8_t* bytes, size_t size) {
  constexpr uint8_t kGzip[] = {0x1f, 0x8b};
  constexpr uint8_t kZstd[] = {0x28, 0xb5, 0x2f, 0xfd};
  constexpr uint8_t kLz4[] = {0x04, 0x22, 0x4d, 0x18};
  if (size >= sizeof kGzip && memcmp(bytes, kGzip, sizeof kGzip) == 0) return Codec::gzip;
  if (size >= sizeof kZstd && memcmp(bytes, kZstd, sizeof kZstd) == 0) return Codec::zstd;
  if (size >= sizeof kLz4 && memcmp(bytes, kLz4, sizeof kLz4) == 0) return Codec::lz4;
  return Codec::none;
}

}  // namespace dpcap
